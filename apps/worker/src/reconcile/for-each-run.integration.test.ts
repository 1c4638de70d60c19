import { createTcpProxy } from "@truerun/dev/testing/tcp-proxy";
import {
  createTestDatabase,
  type TestDatabase,
  temporalAddress,
} from "@truerun/dev/testing/test-services";
import { createDatabase, type Database } from "@truerun/shared/db";
import { createLogger } from "@truerun/shared/logger";
import { createTemporalClient, type TemporalClient } from "@truerun/shared/temporal-connection";
import { afterAll, beforeAll, expect, test } from "vitest";
import { boundCalls } from "../bound-calls.ts";
import { createFailures, forEachRun } from "./for-each-run.ts";
import { AwayError } from "../unless-away.ts";

const CALL_TIMEOUT_MS = 4_000;

const opened: { close(): Promise<unknown> }[] = [];
let database: TestDatabase;
let db: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  db = openDatabase();
});
afterAll(async () => {
  await Promise.all(opened.map((each) => each.close()));
  await database.drop();
});

function openDatabase(port = new URL(database.url).port): Database {
  const url = new URL(database.url);
  url.port = port;
  const opening = createDatabase({
    url: url.href,
    poolSize: 6,
    applicationName: "test",
    statementTimeoutMs: 1_000,
  });
  opened.push({ close: () => opening.$disconnect() });
  return opening;
}

function connect(address: string): TemporalClient {
  const config = { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: "default" };
  const temporal = createTemporalClient(config, { callTimeoutMs: CALL_TIMEOUT_MS });
  opened.push(temporal);
  return temporal;
}

async function ask({ connection }: TemporalClient): Promise<void> {
  await connection.workflowService.describeNamespace({ namespace: "default" });
}

const runs = ["a", "b", "c", "d", "e", "f"].map((id) => ({ id }));
const newFailures = () => createFailures(createLogger({ name: "test", level: "silent" }));

test("a run for which Temporal does not answer is left alone, and the others are not", async () => {
  const temporal = connect(temporalAddress());
  const failures = newFailures();
  let tried: string[] = [];
  const look = async ({ id }: { id: string }): Promise<void> => {
    tried.push(id);
    const patienceMs = id === "b" ? 0 : CALL_TIMEOUT_MS;
    await temporal.connection.withDeadline(Date.now() + patienceMs, () => ask(temporal));
  };
  expect(await forEachRun({ ...temporal, db, failures }, runs, look)).toEqual(["b"]);
  expect(tried).toEqual(["a", "b", "c", "d", "e", "f"]);
  tried = [];
  expect(await forEachRun({ ...temporal, db, failures }, runs, look)).toEqual(["b"]);
  expect(tried).toEqual(["a", "c", "d", "e", "f"]);
});

test("each call has its own time", async () => {
  const temporal = connect(temporalAddress());
  const look = async (): Promise<void> => {
    for (let call = 0; call < 3; call++) {
      await ask(temporal);
      await new Promise((resolve) => setTimeout(resolve, CALL_TIMEOUT_MS / 2));
    }
  };
  const failures = newFailures();
  expect(await forEachRun({ ...temporal, db, failures }, [{ id: "a" }], look)).toEqual([]);
});

test("when Temporal is away the pass ends, and no run is blamed", async () => {
  const proxy = await createTcpProxy({ targetPort: Number(temporalAddress().split(":")[1]) });
  opened.push(proxy);
  const temporal = connect(`127.0.0.1:${proxy.port}`);
  await ask(temporal);
  proxy.freeze();
  const failures = newFailures();
  const tried: string[] = [];
  const look = async ({ id }: { id: string }): Promise<void> => {
    tried.push(id);
    await ask(temporal);
  };
  await expect(forEachRun({ ...temporal, db, failures }, runs, look)).rejects.toThrow(AwayError);
  expect(tried).toEqual(["a", "b", "c", "d"]);
  expect(runs.filter(({ id }) => failures.isResting(id))).toEqual([]);
});

test("a stop ends the pass at the next call, and no run is blamed", async () => {
  const temporal = connect(temporalAddress());
  const failures = newFailures();
  const stop = new AbortController();
  const tried: string[] = [];
  const look = async ({ id }: { id: string }): Promise<void> => {
    tried.push(id);
    await ask(temporal);
    // As one that replays meanwhile.
    if (id === "d") stop.abort();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await ask(temporal);
  };
  const pass = boundCalls(temporal.connection)(stop.signal, () =>
    forEachRun({ ...temporal, db, failures }, runs, look),
  );
  await expect(pass).rejects.toThrow(AwayError);
  expect(tried).toEqual(["a", "b", "c", "d"]);
  expect(runs.filter(({ id }) => failures.isResting(id))).toEqual([]);
});

test("a run whose statement takes too long is left alone, and the others are not", async () => {
  const temporal = connect(temporalAddress());
  const failures = newFailures();
  const looked = new Set<string>();
  const look = async ({ id }: { id: string }): Promise<void> => {
    looked.add(id);
    await db.$queryRaw`SELECT pg_sleep(${id === "b" ? 30 : 0})::text`;
  };
  expect(await forEachRun({ ...temporal, db, failures }, runs, look)).toEqual(["b"]);
  expect([...looked].sort()).toEqual(["a", "b", "c", "d", "e", "f"]);
});

test("when the database is away the pass ends, and no run is blamed", async () => {
  const temporal = connect(temporalAddress());
  const proxy = await createTcpProxy({ targetPort: Number(new URL(database.url).port) });
  opened.push(proxy);
  const away = openDatabase(String(proxy.port));
  await away.$queryRaw`SELECT 1`;
  proxy.freeze();
  const failures = newFailures();
  const look = async (): Promise<void> => void (await away.$queryRaw`SELECT 1`);
  const pass = forEachRun({ ...temporal, db: away, failures }, runs, look);
  await expect(pass).rejects.toThrow(AwayError);
  proxy.restore();
  expect(runs.filter(({ id }) => failures.isResting(id))).toEqual([]);
});
