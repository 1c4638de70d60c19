import { waitFor } from "@truerun/dev/testing/wait-for";
import type { RunStatus, StepStatus } from "@truerun/shared/contracts/statuses";
import type { Reply } from "../load/api.ts";
import type { Scene } from "../scene.ts";

export interface SeenRun {
  status: RunStatus;
  steps: { component_name: string; status: StepStatus | null }[];
}

/** How long a run may take to look as wanted; generous, because of slow machines. */
const PATIENCE_MS = 90_000;

let requests = 0;

/** Asks for a run, once. */
export async function askForRun({ api, apiKey, ledger }: Scene, name: string): Promise<Reply> {
  requests += 1;
  return await api.request(requests % 2, {
    method: "POST",
    path: `/v1/workflows/${encodeURIComponent(name)}/run`,
    apiKey,
    body: { input: { load_id: `timed-${requests}`, ledger: ledger.url } },
  });
}

/** The id that an answer names. @throws when it names none */
export function runIdOf(reply: Reply): string {
  const text = reply.kind === "answer" ? reply.text : reply.reason;
  const runId = /cbwr_[0-9a-f]{32}/.exec(text)?.[0];
  if (runId === undefined) throw new Error(`No run was started: ${text}`);
  return runId;
}

/** Starts runs one after another. */
export async function startRuns(scene: Scene, name: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) ids.push(runIdOf(await askForRun(scene, name)));
  return ids;
}

/** Null when the service does not give it. */
async function readRun({ api, apiKey }: Scene, runId: string): Promise<SeenRun | null> {
  const path = `/v1/workflows/runs/${runId}`;
  const reply = await api.request(requests % 2, { method: "GET", path, apiKey });
  return reply.kind === "answer" && reply.status === 200
    ? (JSON.parse(reply.text) as SeenRun)
    : null;
}

/** Waits until callers see each run meet the condition. */
export async function untilAll(
  scene: Scene,
  runIds: readonly string[],
  isSo: (run: SeenRun) => boolean,
): Promise<void> {
  for (const runId of runIds) {
    const probe = async (): Promise<boolean> => {
      const run = await readRun(scene, runId);
      return run !== null && isSo(run);
    };
    await waitFor(`run ${runId}`, probe, PATIENCE_MS);
  }
}

/** How long until callers see a run meet the condition, in milliseconds; null when they do not. */
export async function timeUntil(
  scene: Scene,
  { runId, since }: { runId: string; since: number },
  isSo: (run: SeenRun) => boolean,
): Promise<number | null> {
  try {
    await untilAll(scene, [runId], isSo);
    return Date.now() - since;
  } catch {
    return null;
  }
}

/** The worst of several; null when one of them is null. */
export function worst(times: readonly (number | null)[]): number | null {
  return times.reduce((a, b) => (a === null || b === null ? null : Math.max(a, b)), 0);
}
