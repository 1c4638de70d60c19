import { setTimeout as pause } from "node:timers/promises";
import { listExecutions } from "../checks/facts.ts";
import type { Scene } from "../scene.ts";
import type { Measurement } from "./time-limit.ts";
import { askForRun, runIdOf, untilAll } from "./timed-runs.ts";

const AWAY_MS = 30_000;
const RUNS = 10;
const STARTED_WITHIN_MS = 10_000;

/** Runs that are asked for while Temporal is away start when it is back, once each. */
export async function measureTemporalOutage(scene: Scene): Promise<Measurement[]> {
  const runIds: string[] = [];
  const statuses = new Set<number>();
  let returnedAt = 0;
  await scene.cluster.parts.temporal.takeAway(async () => {
    const end = Date.now() + AWAY_MS;
    const asking = Array.from({ length: RUNS }, async () => {
      const reply = await askForRun(scene, "one effect");
      runIds.push(runIdOf(reply));
      if (reply.kind === "answer") statuses.add(reply.status);
    });
    await Promise.all(asking);
    await pause(end - Date.now());
    // Its own start counts.
    returnedAt = Date.now();
  });
  await untilAll(scene, runIds, (run) => run.status === "completed");
  const executions = (await listExecutions(scene.client)).filter(({ runId }) =>
    runIds.includes(runId),
  );
  const lastStart = Math.max(...executions.map(({ startedAt }) => startedAt));
  const done = runIds.map((id) => scene.ledger.executions.get(`${id}:only`)?.length ?? 0);
  return [
    {
      what: `after Temporal was away ${AWAY_MS / 1_000} s, all undispatched runs are started`,
      limitMs: STARTED_WITHIN_MS,
      measuredMs: Math.max(0, lastStart - returnedAt),
    },
    {
      what: "meanwhile they were answered 502, and each was started once",
      isHeld:
        executions.length === RUNS &&
        done.every((count) => count === 1) &&
        [...statuses].join() === "502",
      seen: `answered ${[...statuses].join(", ")}; ${executions.length} starts of ${RUNS} runs`,
    },
  ];
}
