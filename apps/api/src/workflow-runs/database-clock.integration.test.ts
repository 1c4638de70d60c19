import { randomUUID } from "node:crypto";
import { hashApiKey } from "@truerun/shared/api-keys";
import { newId } from "@truerun/shared/ids";
import { afterAll, beforeAll, expect, test } from "vitest";
import { echo } from "../testing/test-gateway.ts";
import { createTestRig, type TestRig } from "../testing/test-rig.ts";
import { createDatabaseClock } from "./database-clock.ts";
import { insertRun } from "./run-statement.ts";

let rig: TestRig;
const workflowName = `w-${randomUUID()}`;
beforeAll(async () => {
  rig = await createTestRig();
  const options = { key: rig.org.key, body: echo() };
  await rig.gateways[0].send("PUT", `/v1/workflows/${workflowName}`, options);
});
afterAll(async () => {
  await rig.close();
});

function insert(deadline: number, idempotencyKey: string) {
  return insertRun(rig.db, {
    credential: { keyHash: hashApiKey(rig.org.key) },
    workflowName,
    idempotencyKey,
    id: newId("cbwr"),
    inputText: "{}",
    requestHash: new Uint8Array(32),
    documentRoomBytes: 1_000_000,
    sweepAfterMs: 1_000,
    deadline,
  });
}

test("the deadline is the database's time so long from now", async () => {
  const clock = createDatabaseClock(rig.db);
  // Postgres and this test share the machine's clock.
  expect(await clock.deadline(1_500)).toBeCloseTo((Date.now() + 1_500) / 1_000, 0);
  const row = await insert(await clock.deadline(1_500), randomUUID());
  expect([row?.late, typeof row?.started_at]).toEqual([false, "number"]);
});

test("after its deadline the statement inserts nothing and binds no key", async () => {
  const idempotencyKey = randomUUID();
  const before = await rig.db.workflowRun.count();
  const row = await insert(Date.now() / 1_000 - 0.001, idempotencyKey);
  expect([row?.late, row?.started_at]).toEqual([true, null]);
  expect(await rig.db.workflowRun.count()).toBe(before);
  expect(await rig.db.idempotencyKey.count({ where: { key: idempotencyKey } })).toBe(0);
});

test("a clock that was set is noticed, even by a slow answer; a slow answer alone changes nothing", async () => {
  const clock = createDatabaseClock(rig.db);
  const seconds = Date.now() / 1_000;
  clock.learn(clock.now(), seconds);
  const known = await clock.deadline(0);
  clock.learn(clock.now() - 1_800, seconds);
  expect(await clock.deadline(0)).toBeCloseTo(known, 1);
  clock.learn(clock.now() - 1_000, seconds + 60);
  expect(await clock.deadline(0)).toBeCloseTo(known + 60.5, 1);
});
