import { join } from "node:path";
import { createKey } from "@truerun/dev/keys/create-key";
import { migrate } from "@truerun/dev/migrations/migrate";
import { findFreePort } from "@truerun/dev/processes/ports";
import { PRISMA_DIR, PROJECT_DIR } from "@truerun/dev/project-paths";
import { createDatabase } from "@truerun/shared/db";
import { createEndWatch, type EndWatch } from "./end-watch.ts";
import { createHttpClient, expectStatus, type HttpClient } from "./http-client.ts";
import { RUN_INPUT } from "./run-input.ts";
import { defineRequest, getRequest, runIdOf, runRequest } from "./service-requests.ts";
import { copyWorkerWithSteps } from "./service-worker.ts";
import { toThreeSteps } from "./three-steps.ts";
import { type Bench, createParts, type Parts } from "./start-parts.ts";
import type { Deployment, System } from "./system.ts";

/** The gateway, as `npm run api` starts it. */
export const GATEWAY_MAIN = join(PROJECT_DIR, "apps", "api", "dist", "main.js");

const ENDED = `SELECT id, status = 'completed' AS ok FROM workflow_runs
  WHERE id = ANY($1) AND status <> 'started'`;

export interface ServiceOptions {
  gateways: number;
  workers: number;
  /** More environment variables for the processes. */
  env?: Readonly<Record<string, string>>;
}

/** The service in its own processes, as `npm run api` and `npm run worker` start them. */
export interface Service extends Deployment {
  http: HttpClient;
  ends: EndWatch;
  databaseUrl: string;
  apiKey: string;
  /** The ports of its gateways. */
  ports: readonly number[];
  /** Saves a definition under a name. */
  define(name: string, definition: object, apiKey?: string): Promise<void>;
  /** Creates another org. @returns its key */
  createOrg(name: string): Promise<string>;
  /** Starts one run of a definition. @returns its id, once it is accepted */
  start(name: string, input: object, apiKey?: string): Promise<string>;
}

export async function startService(bench: Bench, options: ServiceOptions): Promise<Service> {
  const parts = await createParts(bench, "service");
  const [url, address] = await Promise.all([parts.postgres(), parts.temporal()]);
  await migrate({ url, prismaDir: PRISMA_DIR });
  const env = {
    DATABASE_URL: url,
    TEMPORAL_ADDRESS: address,
    DATA_DIR: join(bench.dataDir, "service"),
    ...options.env,
  };
  const worker = await copyWorkerWithSteps(join(bench.dataDir, "service", "worker"));
  const ports: number[] = [];
  for (let n = 0; n < options.gateways; n++) ports.push(await findFreePort());
  const args = ["--enable-source-maps"];
  // The first worker publishes the catalogue, which definitions are checked against.
  const workers = Math.max(options.workers, 1);
  for (let n = 0; n < workers; n++) {
    await parts.node({ kind: "worker", main: worker, env, args, label: String(n) });
  }
  for (const port of ports) {
    const own = { ...env, PORT: String(port) };
    await parts.node({ kind: "gateway", main: GATEWAY_MAIN, env: own, args, label: String(port) });
  }
  const service = await toService({ parts, url, ports });
  for (const [name, action] of Object.entries(DEFINITIONS)) {
    await service.define(name, toThreeSteps(action));
  }
  if (options.workers === 0) await parts.end("worker");
  return service;
}

const DEFINITIONS = { service: "bench_step", local: "bench_step_local" } as const;

interface Started {
  parts: Parts;
  url: string;
  ports: readonly number[];
}

async function toService({ parts, url, ports }: Started): Promise<Service> {
  const http = createHttpClient(ports);
  const ends = await createEndWatch({ url, sql: ENDED });
  const apiKey = await createOrg(url, "bench");
  const start: Service["start"] = async (name, input, key = apiKey) => {
    return runIdOf(await expectStatus(http, runRequest(name, key, input), 201));
  };
  const toSystem = (name: keyof typeof DEFINITIONS): System => ({
    name,
    accept: () => start(name, RUN_INPUT),
    untilEnded: (id) => ends.untilEnded(id),
    http: {
      origin: `http://127.0.0.1:${ports[0]}`,
      getRun: (id) => getRequest(id, apiKey),
      startOnce(key) {
        const request = runRequest(name, apiKey, RUN_INPUT);
        return { ...request, headers: { ...request.headers, "idempotency-key": key } };
      },
    },
  });
  return {
    parts: parts.list,
    http,
    ends,
    databaseUrl: url,
    apiKey,
    ports,
    start,
    systems: [toSystem("service"), toSystem("local")],
    createOrg: (name) => createOrg(url, name),
    define: async (name, definition, key = apiKey) =>
      void (await expectStatus(http, defineRequest(name, key, definition), 201)),
    async stop() {
      // In this order: a held Postgres would not close the connection.
      await parts.stop();
      await ends.close();
    },
  };
}

async function createOrg(url: string, org: string): Promise<string> {
  const db = createDatabase({ url, poolSize: 1, applicationName: "bench" });
  try {
    return await createKey(db, { org, name: "bench", scopes: ["workflows:write"] });
  } finally {
    await db.$disconnect();
  }
}
