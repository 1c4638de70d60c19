import { resetRun } from "../faults/reset-run.ts";
import type { Scene } from "../scene.ts";
import type { Measured } from "./time-limit.ts";
import { type SeenRun, startRuns, timeUntil, untilAll, worst } from "./timed-runs.ts";

const RUNS = 5;
const ENDED_WITHIN_MS = 3_000;
const STARTED_AGAIN_WITHIN_MS = 15_000;

/** From an operator's act in Temporal until callers see it. */
export async function measureOperator(scene: Scene): Promise<Measured[]> {
  const { client } = scene;
  const terminated = await timeActs(scene, {
    name: "waits for an hour",
    isReady: (run) => run.steps.length === 2,
    act: (runId) => client.workflow.getHandle(runId).terminate("An operator's whim"),
    isSeen: (run) => run.status === "failed",
  });
  const canceled = await timeActs(scene, {
    name: "waits for an hour",
    isReady: (run) => run.steps.length === 2,
    act: (runId) => client.workflow.getHandle(runId).cancel(),
    isSeen: (run) => run.status === "canceled",
  });
  const reset = await timeActs(scene, {
    name: "waits a while",
    isReady: (run) => run.status === "completed",
    act: (runId) => resetRun(client, runId, 0),
    isSeen: (run) => run.status === "started",
  });
  return [
    { what: "an operator's terminate is seen", limitMs: ENDED_WITHIN_MS, measuredMs: terminated },
    { what: "an operator's cancel is seen", limitMs: ENDED_WITHIN_MS, measuredMs: canceled },
    { what: "a reset run is started again", limitMs: STARTED_AGAIN_WITHIN_MS, measuredMs: reset },
  ];
}

interface Acts {
  name: string;
  isReady: (run: SeenRun) => boolean;
  act: (runId: string) => Promise<unknown>;
  isSeen: (run: SeenRun) => boolean;
}

async function timeActs(
  scene: Scene,
  { name, isReady, act, isSeen }: Acts,
): Promise<number | null> {
  const runIds = await startRuns(scene, name, RUNS);
  await untilAll(scene, runIds, isReady);
  const times = runIds.map(async (runId) => {
    const since = Date.now();
    await act(runId);
    return await timeUntil(scene, { runId, since }, isSeen);
  });
  return worst(await Promise.all(times));
}
