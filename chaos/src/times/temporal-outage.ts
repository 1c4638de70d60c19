import { pause } from "@truerun/shared/pause";
import { listExecutions } from "../checks/facts.ts";
import type { Reply } from "../load/api.ts";
import type { Scene } from "../scene.ts";
import type { Measurement } from "./time-limit.ts";
import { askForRun, runIdOf, untilAll } from "./timed-runs.ts";

const AWAY_MS = 30_000;
const RUNS = 200;
const STARTED_WITHIN_MS = 10_000;
/** A gateway may still be trying to start a run this long after it was asked to. */
const TRIES_FOR_MS = 6_000;

/** Runs that are asked for while Temporal is away start when it is back, once each. */
export async function measureTemporalOutage(scene: Scene): Promise<Measurement[]> {
  const asked: Promise<Reply>[] = [];
  let returnedAt = 0;
  await scene.cluster.parts.temporal.takeAway(async () => {
    for (let n = 0; n < RUNS; n++) {
      asked.push(askForRun(scene, "one effect"));
      await pause(AWAY_MS / RUNS);
    }
    // Temporal's own start-up counts.
    returnedAt = Date.now();
  });
  const replies = await Promise.all(asked);
  const runIds = replies.map(runIdOf);
  // A run asked for at the very end may be dispatched at once.
  const early = replies.filter(({ sentAt }) => sentAt < returnedAt - TRIES_FOR_MS);
  const statuses = new Set(early.map((reply) => (reply.kind === "answer" ? reply.status : "lost")));
  await untilAll(scene, runIds, (run) => run.status === "completed");
  const all = await listExecutions(scene.client);
  const executions = all.filter(({ runId }) => runIds.includes(runId));
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
