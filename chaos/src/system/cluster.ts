import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { toServiceEnvironment } from "@truerun/dev/config";
import { migrate } from "@truerun/dev/migrations/migrate";
import { startPostgres } from "@truerun/dev/postgres/start-postgres";
import { copyWorker } from "@truerun/dev/copy-worker";
import { findFreePort } from "@truerun/dev/processes/ports";
import { PRISMA_DIR, TEMPORAL_CACHE_DIR } from "@truerun/dev/project-paths";
import type { RunningPart } from "@truerun/dev/start/supervise-part";
import { startService } from "@truerun/dev/start/start-service";
import { findTemporal } from "@truerun/dev/temporal/find-temporal";
import { startTemporal } from "@truerun/dev/temporal/start-temporal";
import { createTcpProxy, type TcpProxy } from "@truerun/dev/testing/tcp-proxy";
import { LINKS, type LinkName, type PartName } from "../plan/fault.ts";
import { LEDGER_NOTE } from "./ledger-note.ts";
import { createPart, type Part } from "./part.ts";

/** The whole service in real processes, joined by links that can be damaged. */
export interface Cluster {
  parts: Readonly<Record<PartName, Part>>;
  links: Readonly<Record<LinkName, TcpProxy>>;
  /** Where callers reach the gateways, through the links. */
  gatewayUrls: readonly string[];
  /** Bypass all links, for whoever watches. */
  databaseUrl: string;
  temporalAddress: string;
  stop(): Promise<void>;
}

export interface ClusterOptions {
  dataDir: string;
  /** What components may call. */
  ledgerUrl: string;
  /** The Temporal CLI to use, if a particular one is wanted. */
  temporalCliPath: string | undefined;
  say: (message: string) => void;
}

const SERVICES = ["gateway-1", "gateway-2", "worker-1", "worker-2"] as const;
type ServiceName = (typeof SERVICES)[number];

/** @throws when a part does not come up; what has come up is stopped again */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const started: { stop(): Promise<void> }[] = [];
  const stop = async (): Promise<void> => {
    // In reverse: services drain before what they need is gone.
    for (const part of started.splice(0).reverse()) await part.stop();
  };
  try {
    return { ...(await start(options, started)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  options: ClusterOptions,
  started: { stop(): Promise<void> }[],
): Promise<Omit<Cluster, "stop">> {
  const { dataDir, say } = options;
  await mkdir(join(dataDir, "logs"), { recursive: true });
  const keep = async (name: string, startPart: () => Promise<RunningPart>): Promise<Part> => {
    const part = await createPart({ name, start: startPart, say });
    started.push(part);
    return part;
  };
  const database = await prepareDatabase(dataDir);
  const temporal = await prepareTemporal(options);
  const stores = {
    postgres: await keep("postgres", () => database.start()),
    temporal: await keep("temporal", () => temporal.start()),
  };
  const databaseUrl = database.url();
  await migrate({ url: databaseUrl, prismaDir: PRISMA_DIR });

  const ports: Record<string, number> = { postgres: database.port, temporal: temporal.port };
  for (const name of SERVICES) ports[name] = await findFreePort();
  const links = await createLinks(ports);
  started.unshift({
    stop: async () => void (await Promise.all(Object.values(links).map((link) => link.close()))),
  });

  const workerMain = await copyWorker(join(dataDir, "worker"), { "ledger-note.js": LEDGER_NOTE });
  const services = await Promise.all(
    SERVICES.map(async (name) => {
      const environment = toEnvironment(name, { options, links, databaseUrl, ports });
      const part = await keep(
        name,
        await prepareService(name, { dataDir, environment, workerMain }),
      );
      return [name, part] as const;
    }),
  );
  return {
    parts: { ...stores, ...(Object.fromEntries(services) as Record<ServiceName, Part>) },
    links,
    gatewayUrls: ([1, 2] as const).map(
      (n) => `http://127.0.0.1:${links[`client → gateway-${n}`].port}`,
    ),
    databaseUrl,
    temporalAddress: `127.0.0.1:${temporal.port}`,
  };
}

/** Makes the service's folder. @returns what starts it */
async function prepareService(
  service: ServiceName,
  { dataDir, environment, workerMain }: ServiceOptions,
): Promise<() => Promise<RunningPart>> {
  const folder = join(dataDir, service);
  await mkdir(join(folder, "logs"), { recursive: true });
  const spec = { dataDir: folder, environment, signal: new AbortController().signal };
  return service.startsWith("gateway")
    ? () => startService({ ...spec, name: "api" })
    : () => startService({ ...spec, name: "worker", main: workerMain });
}

interface ServiceOptions {
  dataDir: string;
  environment: NodeJS.ProcessEnv;
  workerMain: string;
}

async function prepareDatabase(dataDir: string) {
  const port = await findFreePort();
  let url = "";
  return {
    port,
    url: () => url,
    async start() {
      const server = await startPostgres({
        dataDir: join(dataDir, "postgres"),
        port,
        logFile: join(dataDir, "logs", "postgres.log"),
      });
      url = server.url("truerun");
      return server;
    },
  };
}

async function prepareTemporal({ dataDir, temporalCliPath, say }: ClusterOptions) {
  const port = await findFreePort();
  const cliPath = await findTemporal({
    cliPath: temporalCliPath,
    cacheDir: TEMPORAL_CACHE_DIR,
    progress: (message) => say(`temporal: ${message}`),
  });
  return {
    port,
    start: () =>
      startTemporal({
        cliPath,
        dbFile: join(dataDir, "temporal.db"),
        port,
        uiPort: null,
        namespace: "default",
        logFile: join(dataDir, "logs", "temporal.log"),
      }),
  };
}

/** A proxy for each link, named `<from> → <to>`. */
async function createLinks(ports: Record<string, number>): Promise<Record<LinkName, TcpProxy>> {
  const entries = LINKS.map(async (name) => {
    const targetPort = ports[name.split(" → ")[1] ?? ""] ?? 0;
    return [name, await createTcpProxy({ targetPort })] as const;
  });
  return Object.fromEntries(await Promise.all(entries)) as Record<LinkName, TcpProxy>;
}

interface Wiring {
  options: ClusterOptions;
  links: Record<LinkName, TcpProxy>;
  databaseUrl: string;
  ports: Record<string, number>;
}

function toEnvironment(
  name: ServiceName,
  { options, links, databaseUrl, ports }: Wiring,
): NodeJS.ProcessEnv {
  const database = new URL(databaseUrl);
  database.port = String(links[`${name} → postgres`].port);
  return toServiceEnvironment(
    {
      DATABASE_URL: database.href,
      TEMPORAL_ADDRESS: `127.0.0.1:${links[`${name} → temporal`].port}`,
      DATA_DIR: join(options.dataDir, name),
      HOST: "127.0.0.1",
      PORT: String(ports[name]),
      HTTP_ALLOWED_PRIVATE_HOSTS: new URL(options.ledgerUrl).host,
    },
    { embeddedTemporal: true },
  );
}
