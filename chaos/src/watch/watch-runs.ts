import { pause } from "@truerun/shared/pause";
import { isTerminal } from "@truerun/shared/contracts/statuses";
import { type LookOptions, lookAtRun } from "./look-at-run.ts";
import { toChildren } from "./run-view.ts";
import { addLook, type Sighting } from "./sightings.ts";

export interface Watch {
  /** From now on, looks at this run again and again. */
  add(runId: string): void;
  /** What was seen of every run. */
  readonly sightings: ReadonlyMap<string, readonly Sighting[]>;
  /** Runs that were not terminal when they were last seen. */
  openRuns(): string[];
  /** Looks that were answered, and those that got 503 or no answer. */
  readonly counts: { looks: number; unavailable: number };
  stop(): Promise<void>;
}

/** Looks at a time, and how long each pauses: about 60 a second in all. */
const LANES = 3;
const PAUSE_MS = 40;
/** Reads runs through the API all the time, mostly those that are open, and answers the reviews it sees. */
export function watchRuns(options: LookOptions): Watch {
  const sightings = new Map<string, Sighting[]>();
  const counts = { looks: 0, unavailable: 0 };
  const queue: string[] = [];
  const stopping = new AbortController();
  const isOpen = (runId: string): boolean =>
    !isTerminal(sightings.get(runId)?.at(-1)?.status ?? "started");

  async function look(runId: string, turn: number): Promise<void> {
    const seen = await lookAtRun(options, runId, turn);
    counts[seen === null ? "unavailable" : "looks"] += 1;
    if (seen?.run == null) return;
    const { run, sentAt, doneAt } = seen;
    const { status, completed_at: completedAt } = run;
    addLook(sightings.get(runId) ?? [], { status, completedAt, sentAt, doneAt });
    for (const id of toChildren(run)) add(id);
  }

  function add(runId: string): void {
    if (sightings.has(runId)) return;
    sightings.set(runId, []);
    queue.push(runId);
  }

  /** The first run in the queue, in three of four turns the first open one: most looks go to runs that change. */
  function takeNext(turn: number): string | undefined {
    const open = turn % 4 === 0 ? -1 : queue.findIndex(isOpen);
    return queue.splice(Math.max(0, open), 1)[0];
  }

  async function watch(lane: number): Promise<void> {
    for (let turn = lane; !stopping.signal.aborted; turn += LANES) {
      const runId = takeNext(turn);
      if (runId !== undefined) {
        await look(runId, turn);
        queue.push(runId);
      }
      await pause(PAUSE_MS);
    }
  }

  const lanes = Array.from({ length: LANES }, (_, lane) => watch(lane));
  return {
    sightings,
    counts,
    add,
    openRuns: () => [...sightings.keys()].filter(isOpen),
    async stop() {
      stopping.abort();
      await Promise.all(lanes);
    },
  };
}
