import { waitFor } from "@truerun/dev/testing/wait-for";
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
  const resting = await timeActs(scene, {
    name: "waits for an hour",
    isReady: (run) => run.steps.length === 2,
    prepare: (runId) => cancelAfterSignal(scene, runId),
    isPrepared: (run) => run.status === "canceled",
    act: (runId) => resetRun(client, runId, SIGNAL_TASK),
    isSeen: (run) => run.status === "started",
  });
  return [
    { what: "an operator's terminate is seen", limitMs: ENDED_WITHIN_MS, measuredMs: terminated },
    { what: "an operator's cancel is seen", limitMs: ENDED_WITHIN_MS, measuredMs: canceled },
    { what: "a reset run is started again", limitMs: STARTED_AGAIN_WITHIN_MS, measuredMs: reset },
    {
      what: "a reset run that records nothing is started again",
      limitMs: STARTED_AGAIN_WITHIN_MS,
      measuredMs: resting,
    },
  ];
}

/** Picks the second to last workflow task. */
const SIGNAL_TASK = 0.625;

/** Afterwards the second to last workflow task records nothing, nor does a Temporal run reset to it. */
async function cancelAfterSignal({ client }: Scene, runId: string): Promise<void> {
  const handle = client.workflow.getHandle(runId);
  await handle.signal("nobody listens");
  await waitFor("the signal's workflow task", async () => {
    return (await handle.describe()).raw.pendingWorkflowTask == null;
  });
  await handle.cancel();
}

interface Acts {
  name: string;
  isReady: (run: SeenRun) => boolean;
  /** Done before the act, which then waits for `isPrepared`. */
  prepare?: (runId: string) => Promise<unknown>;
  isPrepared?: (run: SeenRun) => boolean;
  act: (runId: string) => Promise<unknown>;
  isSeen: (run: SeenRun) => boolean;
}

async function timeActs(
  scene: Scene,
  { name, isReady, prepare, isPrepared, act, isSeen }: Acts,
): Promise<number | null> {
  const runIds = await startRuns(scene, name, RUNS);
  await untilAll(scene, runIds, isReady);
  if (prepare !== undefined) await Promise.all(runIds.map(prepare));
  if (isPrepared !== undefined) await untilAll(scene, runIds, isPrepared);
  const times = runIds.map(async (runId) => {
    const since = Date.now();
    await act(runId);
    return await timeUntil(scene, { runId, since }, isSeen);
  });
  return worst(await Promise.all(times));
}
