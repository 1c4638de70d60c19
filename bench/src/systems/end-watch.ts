import { pause } from "@truerun/shared/pause";
import pg from "pg";

/**
 * Sees the ends of all runs in flight of a system with a database, by one statement every few
 * milliseconds. So it costs each such system the same, and next to nothing: reading every run over HTTP would load
 * what is measured. Raw Temporal has no database; its client's long poll is used instead.
 */
export interface EndWatch {
  /** Resolves when the run has completed. @throws when it ended otherwise */
  untilEnded(id: string): Promise<void>;
  /** The Postgres process that serves this watch. Its CPU time belongs to the load, not to the system. */
  backendPid: number;
  /** How many runs are waited for. */
  count(): number;
  close(): Promise<void>;
}

export interface EndWatchOptions {
  url: string;
  /** Takes an array of ids; returns `id` and `ok` of those that have ended. */
  sql: string;
}

/** Between looks: how precisely the end of a lone run is seen. */
const PAUSE_MS = 3;
/** While several are in flight and none ends, so that looking for ends does not slow them down. */
const LONGEST_PAUSE_MS = 12;
/** Longer than a run waits behind ten thousand others. */
const GIVE_UP_AFTER_MS = 900_000;

interface Waiter {
  since: number;
  resolve: () => void;
  reject: (error: Error) => void;
}

export async function createEndWatch({ url, sql }: EndWatchOptions): Promise<EndWatch> {
  const client = new pg.Client({ connectionString: url, application_name: "bench-ends" });
  await client.connect();
  const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  const waiting = new Map<string, Waiter>();
  let failure: Error | null = null;
  let isLooking = false;
  client.on("error", (error) => fail(error));

  function fail(error: unknown): void {
    failure = error instanceof Error ? error : new Error(String(error));
    for (const { reject } of waiting.values()) reject(failure);
    waiting.clear();
  }

  /** @returns how many have ended */
  async function look(): Promise<number> {
    const statement = { name: "ends", text: sql, values: [[...waiting.keys()]] };
    const ended = await client.query<{ id: string; ok: boolean }>(statement);
    for (const { id, ok } of ended.rows) {
      const waiter = waiting.get(id);
      waiting.delete(id);
      if (ok) waiter?.resolve();
      else waiter?.reject(new Error(`The run ${id} did not complete`));
    }
    const [oldest] = waiting;
    if (oldest !== undefined && Date.now() - oldest[1].since > GIVE_UP_AFTER_MS) {
      throw new Error(`The run ${oldest[0]} does not end`);
    }
    return ended.rows.length;
  }

  async function lookWhileAnyWaits(): Promise<void> {
    isLooking = true;
    let pauseMs = PAUSE_MS;
    while (waiting.size > 0) {
      const isQuiet = (await look()) === 0 && waiting.size > 1;
      pauseMs = isQuiet ? Math.min(pauseMs * 2, LONGEST_PAUSE_MS) : PAUSE_MS;
      await pause(pauseMs);
    }
    isLooking = false;
  }

  return {
    backendPid: rows[0]?.pid ?? 0,
    untilEnded: (id) =>
      new Promise((resolve, reject) => {
        if (failure !== null) return reject(failure);
        waiting.set(id, { since: Date.now(), resolve, reject });
        if (!isLooking) void lookWhileAnyWaits().catch(fail);
      }),
    count: () => waiting.size,
    close: () => client.end(),
  };
}
