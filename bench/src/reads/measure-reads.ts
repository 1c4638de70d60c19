import { median } from "../measure/statistics.ts";
import { createHttpClient, expectStatus, type HttpClient } from "../systems/http-client.ts";
import { READ_QUERIES } from "./queries.ts";

/** An org, and the gateway that serves it. */
export interface ReadTarget {
  port: number;
  key: string;
  runs: number;
  endMs: number;
  days: number;
}

export interface ReadResult {
  name: string;
  /** Median over one client's requests, from sending to the complete answer. */
  smallMs: number;
  largeMs: number;
  /** From the large org's answer; null if it has none. */
  total: number | null;
}

export interface ReadTargets {
  small: ReadTarget;
  large: ReadTarget;
}

const WARM_UP = 20;

/**
 * Asks both orgs each question in turn, one request at a time.
 *
 * @param samples - how often each question is asked of each org
 */
export async function measureReads(
  { small, large }: ReadTargets,
  samples: number,
): Promise<ReadResult[]> {
  const readers = [small, large].map(toReader);
  const results: ReadResult[] = [];
  const questions = [
    ...READ_QUERIES.map(({ name, path }) => ({ name, paths: [path(small), path(large)] })),
    { name: "get-run with ten steps", paths: await Promise.all(readers.map(findRun)) },
  ];
  for (const { name, paths } of questions) {
    const times: [number[], number[]] = [[], []];
    let text = "";
    for (let round = -WARM_UP; round < samples; round += 1) {
      for (const [at, reader] of readers.entries()) {
        const startedAt = performance.now();
        text = await read(reader, paths[at] ?? "");
        if (round >= 0) times[at as 0 | 1].push(performance.now() - startedAt);
      }
    }
    const [smallMs, largeMs] = [median(times[0]), median(times[1])];
    const { total = null } = JSON.parse(text) as { total?: number };
    results.push({ name, smallMs, largeMs, total });
  }
  for (const { http } of readers) http.dropIdle();
  return results;
}

/** The one client of an org. */
interface Reader {
  org: ReadTarget;
  http: HttpClient;
}

function toReader(org: ReadTarget): Reader {
  return { org, http: createHttpClient([org.port]) };
}

/** The path of a run that has steps, from the middle of the list. */
async function findRun(reader: Reader): Promise<string> {
  const text = await read(reader, `/v1/workflows/runs?limit=500&offset=${reader.org.runs / 2}`);
  const { data } = JSON.parse(text) as { data: { workflow_run_id: string; step_count: number }[] };
  const run = data.find(({ step_count }) => step_count > 0);
  if (run === undefined) throw new Error("No run has steps; load some with --steps-share");
  return `/v1/workflows/runs/${run.workflow_run_id}`;
}

function read({ org, http }: Reader, path: string): Promise<string> {
  const headers = { authorization: `Bearer ${org.key}` };
  return expectStatus(http, { method: "GET", path, headers }, 200);
}
