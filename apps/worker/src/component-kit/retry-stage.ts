// What the scenarios of retry safety are played on: real runs, and workers of the kit that may be killed.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTcpProxy } from "@truerun/dev/testing/tcp-proxy";
import { waitFor } from "@truerun/dev/testing/wait-for";
import type { JsonObject } from "@truerun/shared/contracts/json";
import { newId } from "@truerun/shared/ids";
import { toIdempotencyKey } from "../component-activity.ts";
import { component, retryEvery } from "../testing/rig-runs.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";
import { type AttemptGates, createAttemptGates, type Gate } from "./attempt-gates.ts";
import type { EffectLedger } from "./effect-ledger.ts";
import { type KitWorker, startKitWorker } from "./kit-worker.ts";
import type { Scenario, ScenarioEnd } from "./retry-safety-report.ts";

/** What is tested, and where its effects are seen. */
export interface Subject {
  action: string;
  /** Path of the component's file. */
  file: string;
  toInput: (idempotencyKey: string) => unknown;
  env: Readonly<Record<string, string>>;
  ledger: EffectLedger;
}

/** A scenario's run. */
export interface Play {
  scenario: Scenario;
  runId: string;
  idempotencyKey: string;
}

export interface Stage {
  gates: AttemptGates;
  ledger: EffectLedger;
  /** One for each role; none takes tasks before it is told to. */
  workers: { cutOff: KitWorker; killed: KitWorker; surviving: KitWorker };
  /** Cuts the connection between Temporal and the worker `cutOff` for good. */
  cut(): void;
  start(scenario: Scenario, prepare?: (play: Play) => void): Promise<Play>;
  cancel(play: Play): Promise<void>;
  /** Waits until an attempt has come to the gate. */
  reached(gate: Gate): Promise<void>;
  /** Waits until the ledger shows an effect of the play. */
  firstEffect(play: Play): Promise<void>;
  ended(play: Play): Promise<void>;
  /** What an ended play left behind. */
  endOf(play: Play): Promise<ScenarioEnd>;
  close(): Promise<void>;
}

const STEP_KEY = "step";
/** More than the ten seconds after which Temporal gives the attempt of a silent worker to another one. */
const PATIENCE_MS = 30_000;

/**
 * Starts three workers, each a process of its own, against the tests' Postgres and Temporal. Takes some seconds;
 * end with `close`.
 *
 * @throws when one of them does not start: nothing is left running then
 */
export async function setStage(subject: Subject): Promise<Stage> {
  const rig = await createWorkerRig({ idle: true });
  const folder = await mkdtemp(join(tmpdir(), "component-kit-"));
  const gates = createAttemptGates();
  const port = Number(rig.config.TEMPORAL_ADDRESS.split(":").at(-1));
  const proxy = await createTcpProxy({ targetPort: port });
  const hired: KitWorker[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(hired.map((worker) => worker.kill()));
    await proxy.close();
    await rig.close();
    await rm(folder, { recursive: true, force: true });
  };
  const hire = async (name: string, address = rig.config.TEMPORAL_ADDRESS): Promise<KitWorker> => {
    const env = toEnvironment({ rig, subject, folder, address });
    const logFile = join(folder, `${name}.log`);
    const worker = await startKitWorker({ ...subject, gates, env, logFile });
    hired.push(worker);
    return worker;
  };
  const hiring = [
    hire("cut-off", `127.0.0.1:${proxy.port}`),
    hire("killed"),
    hire("surviving"),
  ] as const;
  // Closed only once each has started or failed to.
  await Promise.allSettled(hiring);
  const [cutOff, killed, surviving] = await Promise.all(hiring).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    ...toActs(rig, subject, gates),
    workers: { cutOff, killed, surviving },
    cut: () => proxy.cut(),
    close,
  };
}

function toEnvironment(of: {
  rig: WorkerRig;
  subject: Subject;
  folder: string;
  address: string;
}): Record<string, string | undefined> {
  const { rig, subject, folder, address } = of;
  return {
    DATA_DIR: folder,
    LOG_LEVEL: "warn",
    DATABASE_POOL_SIZE: "4",
    ...subject.env,
    DATABASE_URL: rig.config.DATABASE_URL,
    TEMPORAL_ADDRESS: address,
    TEMPORAL_TASK_QUEUE: rig.config.TEMPORAL_TASK_QUEUE,
  };
}

function toActs(rig: WorkerRig, subject: Subject, gates: AttemptGates) {
  const { action, ledger, toInput } = subject;
  return {
    gates,
    ledger,
    async start(scenario: Scenario, prepare?: (play: Play) => void): Promise<Play> {
      const runId = newId("cbwr");
      const idempotencyKey = toIdempotencyKey(runId, STEP_KEY);
      const play = { scenario, runId, idempotencyKey };
      prepare?.(play);
      const given = toInput(idempotencyKey) as JsonObject;
      const step = component(STEP_KEY, { action, with: given, ...policyOf(scenario) });
      await rig.startRun({ id: runId, name: scenario, components: [step] });
      return play;
    },
    async cancel(play: Play): Promise<void> {
      await rig.client.workflow.getHandle(play.runId).cancel();
    },
    async reached(gate: Gate): Promise<void> {
      const what = `the ${gate.point} of attempt ${gate.attempt} for ${gate.idempotencyKey}`;
      await waitFor(what, () => gates.hasReached(gate), PATIENCE_MS);
    },
    async firstEffect({ scenario, idempotencyKey }: Play): Promise<void> {
      const what = `an effect in the ledger, ${scenario}, for ${idempotencyKey}`;
      await waitFor(what, async () => (await ledger.effects(idempotencyKey)).length > 0);
    },
    async ended({ runId }: Play): Promise<void> {
      await rig.finished(runId);
    },
    async endOf({ scenario, runId, idempotencyKey }: Play): Promise<ScenarioEnd> {
      const { status, steps } = await rig.getRun(runId);
      const [step] = steps;
      return {
        scenario,
        idempotencyKey,
        runStatus: status,
        message: step?.message ?? null,
        attempts: step?.attempt ?? null,
        effects: await ledger.effects(idempotencyKey),
      };
    },
  };
}

/** Retries soon and often enough whatever the component's own defaults are, as a definition may. */
function policyOf(scenario: Scenario) {
  const isTimedOut = scenario === "timed out during the effect";
  return {
    timeout: isTimedOut ? "2s" : "2m",
    retry: retryEvery("100ms", 5),
  };
}
