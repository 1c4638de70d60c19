import { randomUUID } from "node:crypto";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { echo } from "../testing/test-gateway.ts";
import { createTestRig, type TestRig } from "../testing/test-rig.ts";

/** The longest that a caller has to wait while the database is unavailable. */
const ANSWER_WITHIN_MS = 3_500;

let rig: TestRig;
const name = `w-${randomUUID()}`;
beforeAll(async () => {
  rig = await createTestRig();
  const options = { key: rig.org.key, body: echo() };
  await rig.gateways[0].send("PUT", `/v1/workflows/${name}`, options);
});
afterEach(async () => {
  rig.databaseProxy.restore();
  await Promise.all(
    rig.gateways.map((gateway) =>
      waitFor("the gateway to reach the database again", async () => {
        return (await gateway.send("GET", "/readyz")).status === 200;
      }),
    ),
  );
});
afterAll(async () => {
  await rig.close();
});

const ENDPOINTS: [method: string, path: string, body?: unknown][] = [
  ["POST", `/v1/workflows/${name}/run`, { input: {} }],
  ["POST", `/v1/workflows/${name}/run`],
  ["GET", "/v1/workflows/runs"],
  ["GET", `/v1/workflows/runs/cbwr_${"0".repeat(32)}`],
  ["GET", "/v1/workflows"],
  ["GET", `/v1/workflows/${name}`],
  ["PUT", `/v1/workflows/${name}`, echo()],
  ["PATCH", `/v1/workflows/${name}`, { enabled: true }],
  ["DELETE", `/v1/workflows/${name}`],
  ["GET", "/v1/components"],
  ["GET", "/v1/utils/authtest"],
];

describe.each([
  ["refuses connections", () => rig.databaseProxy.cut()],
  ["is silent", () => rig.databaseProxy.freeze()],
])("while the database %s", (_, damage) => {
  test("every endpoint is a 503 in time", async () => {
    damage();
    const startedAt = Date.now();
    const answers = await Promise.all(
      ENDPOINTS.map(async ([method, path, body]) => {
        const answer = await rig.gateways[0].send(method, path, { key: rig.org.key, body });
        return { ...answer, endpoint: `${method} ${path}`, afterMs: Date.now() - startedAt };
      }),
    );
    for (const { endpoint, afterMs, ...answer } of answers) {
      expect([endpoint, answer.status, answer.json]).toMatchObject([
        endpoint,
        503,
        { detail: { code: "service_unavailable" } },
      ]);
      expect(afterMs, endpoint).toBeLessThan(ANSWER_WITHIN_MS);
      expect(answer.headers["retry-after"]).toMatch(/^\d+$/);
      expect(answer.text).not.toMatch(/prisma|postgres|ECONN|timeout/i);
    }
  });

  test("readyz names it and healthz is up", async () => {
    damage();
    const ready = await rig.gateways[0].send("GET", "/readyz");
    const detail = { code: "service_unavailable", message: "The database does not answer." };
    expect([ready.status, ready.json]).toEqual([503, { detail }]);
    expect((await rig.gateways[0].send("GET", "/healthz")).status).toBe(200);
  });
});

test("what a silent database gets to see when it wakes creates nothing and binds no key", async () => {
  const run = (idempotencyKey: string, gateway: 0 | 1) =>
    rig.gateways[gateway].send("POST", `/v1/workflows/${name}/run`, {
      key: rig.org.key,
      headers: { "idempotency-key": idempotencyKey },
    });
  await Promise.all([run(randomUUID(), 0), run(randomUUID(), 1)]);
  const before = await rig.db.workflowRun.count();
  const keys = Array.from({ length: 8 }, () => randomUUID());
  rig.databaseProxy.freeze();
  const answers = await Promise.all(keys.map((key, at) => run(key, at % 2 === 0 ? 0 : 1)));
  expect(answers.map(({ status }) => status)).toEqual(keys.map(() => 503));
  rig.databaseProxy.restore();
  // The held statements reached the server before these repeats, so they have been executed first.
  const repeats = await Promise.all(
    keys.map((key, at) =>
      waitFor("the database to serve again", async () => {
        const answer = await run(key, at % 2 === 0 ? 1 : 0);
        return answer.status === 503 ? undefined : answer;
      }),
    ),
  );
  expect(repeats.map(({ status }) => status)).toEqual(keys.map(() => 201));
  expect(repeats.map(({ headers }) => headers["idempotent-replayed"])).toEqual(
    keys.map(() => undefined),
  );
  await waitFor("the held statements to be over", async () => {
    const [row] = await rig.db.$queryRaw<{ busy: number }[]>`
      SELECT count(*)::int AS busy FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'truerun-api' AND state = 'active'`;
    return row?.busy === 0;
  });
  expect(await rig.db.workflowRun.count()).toBe(before + keys.length);
});
