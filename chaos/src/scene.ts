import { type Client } from "@temporalio/client";
import { createKey } from "@truerun/dev/keys/create-key";
import { createDatabase, type Database } from "@truerun/shared/db";
import { createTemporalClient } from "@truerun/shared/temporal-connection";
import { type Api, createApi } from "./load/api.ts";
import { type Ledger, startLedger } from "./load/ledger.ts";
import { SHAPES } from "./load/shapes.ts";
import { TIMED_DEFINITIONS } from "./times/timed-definitions.ts";
import { type Cluster, startCluster } from "./system/cluster.ts";

/** Everything that a chaos run plays on. */
export interface Scene {
  cluster: Cluster;
  ledger: Ledger;
  api: Api;
  /** Bypass the links, for the checks. */
  db: Database;
  client: Client;
  apiKey: string;
  /** Key of an org that has the same definitions and no runs. */
  strangerKey: string;
  stop(): Promise<void>;
}

export interface SceneOptions {
  dataDir: string;
  temporalCliPath: string | undefined;
  say: (message: string) => void;
}

/** Starts the whole service, saves the shapes' definitions, and makes two orgs. */
export async function startScene(options: SceneOptions): Promise<Scene> {
  const ledger = await startLedger();
  try {
    const cluster = await startCluster({ ...options, ledgerUrl: ledger.url });
    return await toScene(cluster, ledger);
  } catch (error) {
    await ledger.close();
    throw error;
  }
}

async function toScene(cluster: Cluster, ledger: Ledger): Promise<Scene> {
  const db = createDatabase({
    url: cluster.databaseUrl,
    poolSize: 3,
    applicationName: "truerun-chaos",
    statementTimeoutMs: 30_000,
  });
  const temporal = createTemporalClient({
    TEMPORAL_ADDRESS: cluster.temporalAddress,
    TEMPORAL_NAMESPACE: "default",
  });
  const stop = async (): Promise<void> => {
    await Promise.all([db.$disconnect(), temporal.close()]);
    await cluster.stop();
    await ledger.close();
  };
  try {
    const api = createApi(cluster.gatewayUrls);
    const scopes = ["workflows:write" as const];
    const apiKey = await createKey(db, { org: "chaos", name: "chaos", scopes });
    const strangerKey = await createKey(db, { org: "stranger", name: "chaos", scopes });
    for (const key of [apiKey, strangerKey]) await saveShapes(api, key);
    return { cluster, ledger, api, db, client: temporal.client, apiKey, strangerKey, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function saveShapes(api: Api, apiKey: string): Promise<void> {
  for (const { name, definition } of [...SHAPES, ...TIMED_DEFINITIONS]) {
    const path = `/v1/workflows/${encodeURIComponent(name)}`;
    const reply = await api.request(0, { method: "PUT", path, apiKey, body: definition });
    if (reply.kind === "answer" && reply.status === 201) continue;
    throw new Error(`The definition ${name} was not saved: ${JSON.stringify(reply)}`);
  }
}
