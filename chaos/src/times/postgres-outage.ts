import { pause } from "@truerun/shared/pause";
import { isDatabaseUnavailable } from "@truerun/shared/db";
import { type InspectionSource, inspectRun } from "@truerun/worker/mirror/inspect-run";
import { listExecutions, readSteps } from "../checks/facts.ts";
import type { Reply } from "../load/api.ts";
import type { Scene } from "../scene.ts";
import type { Measurement } from "./time-limit.ts";
import { askForRun, startRuns, untilAll } from "./timed-runs.ts";

const AWAY_MS = 30_000;
const RUNS = 5;
const ANSWERED_WITHIN_MS = 3_000;
const EXACT_WITHIN_MS = 35_000;
/** The first moments, in which a request may still be served. */
const SETTLED_AFTER_MS = 500;

/** `away`: its processes have ended. `frozen`: they are stopped, and connections stay open. */
export type Outage = "away" | "frozen";

/** While Postgres is away, callers are told so and components run on; soon after, the tables are exact. */
export async function measurePostgresOutage(
  scene: Scene,
  inspection: InspectionSource,
  outage: Outage,
): Promise<Measurement[]> {
  const short = await startRuns(scene, "ends during an outage", RUNS);
  const long = await startRuns(scene, "outlasts an outage", RUNS);
  const runIds = [...short, ...long];
  await untilAll(scene, runIds, (run) => run.steps.length >= 1);
  let replies: Reply[] = [];
  let returnedAt = 0;
  const untilOver = async (): Promise<void> => {
    replies = await askMeanwhile(scene, runIds[0] ?? "");
    // Postgres's own start-up counts.
    returnedAt = Date.now();
  };
  const { postgres } = scene.cluster.parts;
  await (outage === "away" ? postgres.takeAway(untilOver) : postgres.pause(untilOver));
  const exactMs = await timeUntilExact(inspection, runIds, returnedAt);
  const wasEnded = await countEnded(scene, short, returnedAt);
  await untilAll(scene, runIds, (run) => run.status === "completed");
  const again = await countAgain(scene, runIds);
  const title = `Postgres ${outage} ${AWAY_MS / 1_000} s`;
  const not503 = replies.filter((reply) => reply.kind === "lost" || reply.status !== 503);
  return [
    {
      what: `${title}: POST and GET are answered 503`,
      limitMs: ANSWERED_WITHIN_MS,
      measuredMs:
        not503.length > 0
          ? null
          : Math.max(...replies.map(({ sentAt, doneAt }) => doneAt - sentAt)),
    },
    {
      what: `${title}: workers go on`,
      isHeld: wasEnded === RUNS,
      seen: `${wasEnded} of ${RUNS} runs ended meanwhile`,
    },
    {
      what: `${title}: no component is run again`,
      isHeld: again === 0,
      seen: `${again} were`,
    },
    { what: `${title}: tables are exact again`, limitMs: EXACT_WITHIN_MS, measuredMs: exactMs },
  ];
}

/** A POST and a GET about every second, the gateways in turn. */
async function askMeanwhile(scene: Scene, runId: string): Promise<Reply[]> {
  const end = Date.now() + AWAY_MS;
  await pause(SETTLED_AFTER_MS);
  const asked: Promise<Reply>[] = [];
  const path = `/v1/workflows/runs/${runId}`;
  for (let gateway = 0; Date.now() < end - ANSWERED_WITHIN_MS; gateway = 1 - gateway) {
    asked.push(askForRun(scene, "one effect"));
    asked.push(scene.api.request(gateway, { method: "GET", path, apiKey: scene.apiKey }));
    await pause(1_000);
  }
  const replies = await Promise.all(asked);
  await pause(Math.max(0, end - Date.now()));
  return replies;
}

/** Until no run's rows differ from its history, whether it has ended or goes on. */
async function timeUntilExact(
  source: InspectionSource,
  runIds: readonly string[],
  since: number,
): Promise<number | null> {
  const end = since + 2 * EXACT_WITHIN_MS;
  while (Date.now() < end) {
    const kinds = await Promise.all(
      runIds.map(async (runId) => {
        const found = await inspectRun(source, runId).catch(nullWhileAway);
        const isOpen = found?.kind === "equal" && found.projection.end === null;
        return found?.kind === "equal" && (isOpen || found.rows.isConfirmed)
          ? "exact"
          : found?.kind;
      }),
    );
    if (kinds.every((kind) => kind === "exact" || kind === "moving")) return Date.now() - since;
    await pause(100);
  }
  return null;
}

/** Right after its return Postgres may still refuse; any other error fails the measurement. */
function nullWhileAway(error: unknown): null {
  if (isDatabaseUnavailable(error)) return null;
  throw error;
}

async function countEnded(
  { client }: Scene,
  runIds: readonly string[],
  at: number,
): Promise<number> {
  const executions = (await listExecutions(client)).filter(({ runId }) => runIds.includes(runId));
  return executions.filter(({ closedAt }) => closedAt !== null && closedAt < at).length;
}

/** Steps with more than one attempt or execution. */
async function countAgain({ db, ledger }: Scene, runIds: readonly string[]): Promise<number> {
  const steps = (await readSteps(db)).filter(({ runId }) => runIds.includes(runId));
  return steps.filter(
    ({ runId, key, attempt }) =>
      attempt !== 1 || ledger.executions.get(`${runId}:${key}`)?.length !== 1,
  ).length;
}
