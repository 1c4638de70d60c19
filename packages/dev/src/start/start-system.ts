import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { pause } from "@truerun/shared/pause";
import { createDatabase } from "@truerun/shared/db";
import { type StartConfig, toServiceEnvironment } from "../config.ts";
import { migrate } from "../migrations/migrate.ts";
import { rotateLogs } from "../processes/rotate-logs.ts";
import { PRISMA_DIR } from "../project-paths.ts";
import { type Seeded, seed } from "../seed/seed.ts";
import { toBanner } from "./banner.ts";
import { choosePort } from "./choose-port.ts";
import type { Progress } from "./progress.ts";
import { writeRuntime } from "./runtime-file.ts";
import { StartError } from "./start-error.ts";
import { endLeftOverService, startService } from "./start-service.ts";
import { endLeftOverStores, startDatabase, startEngine } from "./start-stores.ts";
import { supervisePart } from "./supervise-part.ts";

export interface SystemContext {
  config: StartConfig;
  progress: Progress;
  /** Aborted when the start is no longer wanted. */
  signal: AbortSignal;
}

export interface System {
  banner: string;
  /** Gateway and worker drain first; then Temporal and Postgres end. */
  stop(): Promise<void>;
}

interface Stoppable {
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 60_000;

/**
 * Starts Postgres and Temporal (unless they are elsewhere), gateway and worker, and waits until the
 * service reports that it is ready.
 *
 * @throws when a part is not available or does not come up; everything is then ended again
 */
export async function startSystem(context: SystemContext): Promise<System> {
  const stores: Stoppable[] = [];
  const services: Stoppable[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(services.map((each) => each.stop()));
    await Promise.all(stores.map((each) => each.stop()));
  };
  try {
    const banner = await start(context, stores, services);
    return { banner, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  context: SystemContext,
  stores: Stoppable[],
  services: Stoppable[],
): Promise<string> {
  const { config, progress, signal } = context;
  await prepareDataDir(config);
  const ports = await choosePorts(config, progress);
  signal.throwIfAborted();
  const storeContext = { ...context, onStarted: (part: Stoppable) => void stores.push(part) };
  const [databaseUrl, temporalAddress] = await settleAll([
    startDatabase(storeContext),
    startEngine(storeContext, ports),
  ]);
  signal.throwIfAborted();
  await progress.step("Migrations", () => migrateOrExplain(databaseUrl, config));

  const embeddedTemporal = config.TEMPORAL_ADDRESS === undefined;
  const temporalUiUrl =
    config.TEMPORAL_UI_URL ?? (embeddedTemporal ? `http://127.0.0.1:${ports.uiPort}` : null);
  const environment = toServiceEnvironment(
    {
      DATABASE_URL: databaseUrl,
      TEMPORAL_ADDRESS: temporalAddress,
      DATA_DIR: config.DATA_DIR,
      HOST: config.HOST,
      PORT: String(ports.api),
      ...(temporalUiUrl === null ? {} : { TEMPORAL_UI_URL: temporalUiUrl }),
    },
    { embeddedTemporal },
  );
  const startNamed = async (name: "api" | "worker", title: string): Promise<void> => {
    const own = { ...environment, ...toMetricsPort(name, config) };
    const spec = { name, dataDir: config.DATA_DIR, environment: own, signal };
    const part = await progress.step(title, () =>
      supervisePart({ name: title, start: () => startService(spec), say: progress.line }),
    );
    services.push(part);
  };
  await settleAll([startNamed("worker", "Worker"), startNamed("api", "Gateway")]);
  signal.throwIfAborted();

  const apiUrl = toUrl(config.HOST, ports.api);
  const seeded = await progress.step("Seed", () => seedOnce(databaseUrl, config));
  await progress.step("Ready", () => untilReady(apiUrl, signal));
  const { DATA_DIR: dataDir } = config;
  const where = { databaseUrl, temporalAddress, temporalUiUrl, apiUrl };
  await writeRuntime(dataDir, { pid: process.pid, ...where });
  return toBanner({ apiUrl, temporalUiUrl, demoKey: seeded.demoKey, dataDir });
}

/** Two processes on one machine cannot share a port: the gateway gets the configured one, the worker the next. */
function toMetricsPort(
  name: "api" | "worker",
  { METRICS_PORT: port }: StartConfig,
): NodeJS.ProcessEnv {
  if (port === undefined || port === 0 || name === "api") return {};
  return { METRICS_PORT: String(port + 1) };
}

async function prepareDataDir(config: StartConfig): Promise<void> {
  const logs = join(config.DATA_DIR, "logs");
  await mkdir(logs, { recursive: true, mode: 0o700 });
  await Promise.all([
    endLeftOverService(config.DATA_DIR, "api"),
    endLeftOverService(config.DATA_DIR, "worker"),
  ]);
  await endLeftOverStores(config);
  await rotateLogs(logs);
}

async function choosePorts(
  config: StartConfig,
  progress: Progress,
): Promise<{ api: number; port: number; uiPort: number }> {
  const local = "127.0.0.1";
  const wishes = [
    { variable: "PORT", wanted: config.PORT, fallback: 3_000, host: config.HOST },
    { variable: "TEMPORAL_PORT", wanted: config.TEMPORAL_PORT, fallback: 7_233, host: local },
    { variable: "TEMPORAL_UI_PORT", wanted: config.TEMPORAL_UI_PORT, fallback: 8_233, host: local },
  ];
  const taken: number[] = [];
  for (const wish of config.TEMPORAL_ADDRESS === undefined ? wishes : wishes.slice(0, 1)) {
    taken.push(await choosePort({ ...wish, taken }, progress.line));
  }
  const [api = 0, port = 0, uiPort = 0] = taken;
  return { api, port, uiPort };
}

async function migrateOrExplain(url: string, config: StartConfig): Promise<void> {
  try {
    await migrate({ url, prismaDir: PRISMA_DIR });
  } catch (error) {
    if (config.DATABASE_URL === undefined) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(`The database of DATABASE_URL cannot be used: ${reason}`);
  }
}

async function seedOnce(url: string, { DATA_DIR: dataDir }: StartConfig): Promise<Seeded> {
  const db = createDatabase({ url, poolSize: 2, applicationName: "truerun-seed" });
  try {
    return await seed(db, { dataDir });
  } finally {
    await db.$disconnect();
  }
}

async function untilReady(apiUrl: string, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const response = await fetch(`${apiUrl}/readyz`, { signal });
    if (response.ok) return;
    const answer = await response.text();
    if (Date.now() > deadline) throw new StartError(`The gateway does not get ready: ${answer}`);
    await pause(50);
  }
}

/** Where this machine reaches a gateway that listens on `host`. */
function toUrl(host: string, port: number): string {
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}

/** Like `Promise.all`, but throws only once all have settled, so that nothing comes up after a failed start. */
async function settleAll<T extends readonly unknown[]>(
  work: {
    [K in keyof T]: Promise<T[K]>;
  },
): Promise<T> {
  await Promise.allSettled(work);
  return (await Promise.all(work)) as unknown as T;
}
