import http from "node:http";
import { median } from "./median.ts";
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
  ratio: number;
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
  const agent = new http.Agent({ keepAlive: true, maxSockets: 2 });
  const results: ReadResult[] = [];
  try {
    const questions = [
      ...READ_QUERIES.map(({ name, path }) => ({ name, paths: [path(small), path(large)] })),
      { name: "get-run with ten steps", paths: [await findRun(small), await findRun(large)] },
    ];
    for (const { name, paths } of questions) {
      const times: [number[], number[]] = [[], []];
      let text = "";
      for (let round = -WARM_UP; round < samples; round += 1) {
        for (const [at, target] of [small, large].entries()) {
          const startedAt = performance.now();
          text = await get(target, paths[at] ?? "", agent);
          if (round >= 0) times[at as 0 | 1].push(performance.now() - startedAt);
        }
      }
      const [smallMs, largeMs] = [median(times[0]), median(times[1])];
      const { total = null } = JSON.parse(text) as { total?: number };
      results.push({ name, smallMs, largeMs, ratio: largeMs / smallMs, total });
    }
  } finally {
    agent.destroy();
  }
  return results;
}

/** The path of a run that has steps, from the middle of the list. */
async function findRun(target: ReadTarget): Promise<string> {
  const text = await get(target, `/v1/workflows/runs?limit=500&offset=${target.runs / 2}`);
  const { data } = JSON.parse(text) as { data: { workflow_run_id: string; step_count: number }[] };
  const run = data.find(({ step_count }) => step_count > 0);
  if (run === undefined) throw new Error("No run has steps; load some with --steps-share");
  return `/v1/workflows/runs/${run.workflow_run_id}`;
}

function get(target: ReadTarget, path: string, agent?: http.Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${target.key}` };
    const where = { host: "127.0.0.1", port: target.port, path, headers };
    const request = http.get(agent === undefined ? where : { ...where, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`${path} was answered ${response.statusCode}: ${text}`));
      });
    });
    request.on("error", reject);
  });
}
