import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defineWorkflow } from "../testing/run-rows.ts";
import { echo } from "../testing/test-gateway.ts";
import { createTestRig, type TestRig } from "../testing/test-rig.ts";

let rig: TestRig;
beforeAll(async () => {
  rig = await createTestRig();
});
afterAll(async () => {
  await rig.close();
});

interface RunOptions {
  key?: string;
  idempotencyKey?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

const at = (name: string) => `/v1/workflows/${encodeURIComponent(name)}`;

function run(name: string, options: RunOptions = {}, gateway: 0 | 1 = 0) {
  const { idempotencyKey, key = rig.org.plainKey, body, headers } = options;
  return rig.gateways[gateway].send("POST", `${at(name)}/run`, {
    key,
    body,
    headers: {
      ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
      ...headers,
    },
  });
}

const countRuns = (workflowName: string) => rig.db.workflowRun.count({ where: { workflowName } });

test("a run is answered with exactly the published keys, its input as it was sent, and is dispatched", async () => {
  const { name } = await defineWorkflow(rig);
  const input = '{ "z":1.0,"a" : -0, "__proto__":{"x":1}, "s":"\\u0000\\ud800", "2":1, "1":1 }';
  const answer = await run(name, { body: `{"other":[1], "input": ${input}\n}` });
  expect(answer.status, answer.text).toBe(201);
  const { workflow_run_id: id, started_at: startedAt } = answer.json;
  expect(answer.text).toBe(
    `{"workflow_run_id":"${String(id)}","workflow_name":"${name}","status":"started","started_at":${String(startedAt)},"input":${input}}`,
  );
  expect(id).toMatch(/^cbwr_[0-9a-f]{32}$/);
  expect(Math.abs(Number(startedAt) - Date.now() / 1_000)).toBeLessThan(5);
  await expect
    .poll(
      async () =>
        (await rig.db.workflowRun.findUnique({ where: { id: String(id) } }))?.dispatchedAt,
    )
    .toBeInstanceOf(Date);
});

test.each([
  "späte Prüfung/50% ✓",
  "constructor",
  "__proto__",
  "run",
  "runs",
  "a\nb",
  "😀".repeat(250),
])("a workflow named %j runs", async (name) => {
  await defineWorkflow(rig, { name });
  const answer = await run(name);
  expect(answer.status, answer.text).toBe(201);
  expect(answer.json).toMatchObject({ workflow_name: name, input: {} });
});

test.each([
  ["%E0%A4%A", "%E0%A4%A"],
  ["nope", "nope"],
  ["a%00b", "a\u0000b"],
  ["x".repeat(256), "x".repeat(256)],
  ["%F0%9F%98%80".repeat(255), "😀".repeat(255)],
])("no workflow is named %s", async (segment, shown) => {
  const answer = await rig.gateways[0].send("POST", `/v1/workflows/${segment}/run`, {
    key: rig.org.key,
  });
  const detail = { code: "workflow_not_found", message: `Workflow '${shown}' not found.` };
  expect([answer.status, answer.json]).toEqual([404, { detail }]);
});

test("another org's workflow is answered like one that does not exist", async () => {
  const { name } = await defineWorkflow(rig);
  const foreign = await run(name, { key: rig.otherOrg.key });
  const detail = { code: "workflow_not_found", message: `Workflow '${name}' not found.` };
  expect([foreign.status, foreign.json]).toEqual([404, { detail }]);
});

test("a disabled workflow is a 409 that creates nothing and binds no key", async () => {
  const { name } = await defineWorkflow(rig);
  const idempotencyKey = randomUUID();
  await rig.gateways[0].send("PATCH", at(name), { key: rig.org.key, body: { enabled: false } });
  const refused = await run(name, { idempotencyKey });
  const detail = { code: "workflow_disabled", message: `Workflow '${name}' is disabled.` };
  expect([refused.status, refused.json]).toEqual([409, { detail }]);
  expect(await countRuns(name)).toBe(0);
  await rig.gateways[0].send("PATCH", at(name), { key: rig.org.key, body: { enabled: true } });
  const taken = await run(name, { idempotencyKey });
  expect(taken.status).toBe(201);
  expect(taken.headers["idempotent-replayed"]).toBeUndefined();
});

describe("validation", () => {
  test.each([
    ["k".repeat(256), "string_too_long"],
    ["", "string_too_short"],
    ["a b", "string_pattern_mismatch"],
    ["ä", "string_pattern_mismatch"],
  ])("the Idempotency-Key %j is a 422, listed with the body's faults", async (key, type) => {
    const { name } = await defineWorkflow(rig);
    const answer = await run(name, { idempotencyKey: key, body: '{"input":3}' });
    expect(answer.status).toBe(422);
    expect(answer.json["detail"]).toMatchObject([
      { loc: ["header", "Idempotency-Key"], type },
      { loc: ["body", "input"], type: "dict_type" },
    ]);
    expect(await countRuns(name)).toBe(0);
  });

  test("comes before existence", async () => {
    expect((await run("nope", { body: '{"input":3}' })).status).toBe(422);
  });

  test("an input that would not fit into the engine is a 413 that creates nothing", async () => {
    const { name } = await defineWorkflow(rig);
    const idempotencyKey = randomUUID();
    const body = `{"input":{"n":[${"1e20,".repeat(200_000)}0]}}`;
    const answer = await run(name, { idempotencyKey, body });
    expect([answer.status, answer.json]).toMatchObject([
      413,
      { detail: { code: "payload_too_large" } },
    ]);
    expect(await countRuns(name)).toBe(0);
    expect((await run(name, { idempotencyKey })).status).toBe(201);
  });
});

describe("an Idempotency-Key", () => {
  test("returns the first answer to the byte, from either gateway, whatever the body", async () => {
    const { name } = await defineWorkflow(rig);
    const idempotencyKey = randomUUID();
    const body = '{"input":{"n": 1.0}}';
    const first = await run(name, { idempotencyKey, body });
    expect(first.status, first.text).toBe(201);
    expect(first.headers["idempotent-replayed"]).toBeUndefined();
    for (const [repeat, mismatch] of [
      [body, undefined],
      ['{"input":{"n":2}}', "true"],
      ["{not json", "true"],
      ['{"input":null}', "true"],
      [undefined, "true"],
    ] as const) {
      const again = await run(name, { idempotencyKey, body: repeat }, 1);
      expect([again.status, again.text]).toEqual([201, first.text]);
      expect(again.headers["idempotent-replayed"]).toBe("true");
      expect(again.headers["idempotency-mismatch"]).toBe(mismatch);
    }
    expect(await countRuns(name)).toBe(1);
  });

  test("makes one run of 50 requests at once on two gateways, and 50 equal answers", async () => {
    const { name } = await defineWorkflow(rig);
    const idempotencyKey = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        run(name, { idempotencyKey, body: { input: { x: 1 } } }, at % 2 === 0 ? 0 : 1),
      ),
    );
    expect([...new Set(answers.map(({ status, text }) => `${status} ${text}`))]).toHaveLength(1);
    expect(answers[0]?.status, answers[0]?.text).toBe(201);
    expect(
      answers.filter(({ headers }) => headers["idempotent-replayed"] === undefined),
    ).toHaveLength(1);
    expect(await countRuns(name)).toBe(1);
  });

  test("is another one for another org and for another workflow", async () => {
    const { name } = await defineWorkflow(rig);
    const { name: second } = await defineWorkflow(rig);
    await defineWorkflow(rig, { name, key: rig.otherOrg.key });
    const idempotencyKey = randomUUID();
    const answers = [
      await run(name, { idempotencyKey }),
      await run(second, { idempotencyKey }),
      await run(name, { idempotencyKey, key: rig.otherOrg.key }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(new Set(answers.map(({ json }) => json["workflow_run_id"])).size).toBe(3);
  });

  test("still answers when its definition was disabled, deleted or made anew", async () => {
    const { name } = await defineWorkflow(rig);
    const idempotencyKey = randomUUID();
    const first = await run(name, { idempotencyKey });
    const admin = (method: string, body?: unknown) =>
      rig.gateways[0].send(method, at(name), { key: rig.org.key, body });
    for (const change of [
      () => admin("PATCH", { enabled: false }),
      () => admin("DELETE"),
      () => admin("PUT", echo(1)),
    ]) {
      await change();
      const again = await run(name, { idempotencyKey });
      expect([again.status, again.text]).toEqual([201, first.text]);
    }
  });

  test("is free again once it has expired by the database's clock, for one of many at once", async () => {
    const { name } = await defineWorkflow(rig);
    const idempotencyKey = randomUUID();
    const first = await run(name, { idempotencyKey });
    const row = await rig.db.idempotencyKey.findFirstOrThrow({ where: { key: idempotencyKey } });
    expect(row.endpoint).toBe(`workflows/${name}/run`);
    expect(row.expiresAt.getTime() - Date.now()).toBeGreaterThan(23.9 * 3_600_000);
    await rig.db.$executeRaw`
      UPDATE idempotency_keys SET expires_at = now() - interval '1 ms' WHERE key = ${idempotencyKey}`;
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) => run(name, { idempotencyKey }, at % 2 === 0 ? 0 : 1)),
    );
    const ids = new Set(answers.map(({ json }) => json["workflow_run_id"]));
    expect(ids.size).toBe(1);
    expect(ids).not.toContain(first.json["workflow_run_id"]);
    expect(await countRuns(name)).toBe(2);
  });

  test("may be the run's own id, which never expires, in its own workflow and org only", async () => {
    const { name } = await defineWorkflow(rig);
    const { name: second } = await defineWorkflow(rig);
    await defineWorkflow(rig, { name, key: rig.otherOrg.key });
    const first = await run(name, { body: { input: { a: 1 } } });
    const idempotencyKey = String(first.json["workflow_run_id"]);
    const again = await run(name, { idempotencyKey, body: "{bad" });
    expect([again.status, again.text]).toEqual([201, first.text]);
    expect(again.headers["idempotent-replayed"]).toBe("true");
    for (const other of [
      await run(second, { idempotencyKey }),
      await run(name, { idempotencyKey, key: rig.otherOrg.key }),
    ]) {
      expect(other.status).toBe(201);
      expect(other.json["workflow_run_id"]).not.toBe(idempotencyKey);
    }
  });

  test("of many, repeated by all their callers at the same time, gives each the run of its own", async () => {
    // Characters that need escaping in a Postgres array of texts.
    const { name: odd } = await defineWorkflow(rig, { name: `w {"ä"\\,'😀} ${randomUUID()}` });
    const names = [odd, (await defineWorkflow(rig)).name];
    const key = rig.otherOrg.key;
    await defineWorkflow(rig, { name: odd, key });
    const idempotencyKey = `{"a"\\,'b}-${randomUUID()}`;
    const callers = [
      ...names.flatMap((name) => [
        { name, idempotencyKey },
        { name, idempotencyKey: "NULL" },
      ]),
      { name: odd, idempotencyKey, key },
    ];
    const firsts: string[] = [];
    for (const { name, ...options } of callers) {
      firsts.push(String((await run(name, options)).json["workflow_run_id"]));
    }
    // The last caller of each round uses its run's id as the key.
    const all = Array.from({ length: 8 }, () => [
      ...callers,
      { name: odd, idempotencyKey: firsts.at(-1) ?? "", key },
    ]).flat();
    const again = await Promise.all(all.map(({ name, ...options }) => run(name, options)));
    expect(new Set(firsts).size).toBe(callers.length);
    expect(
      again.map(({ status, headers, json }) => [
        status,
        headers["idempotent-replayed"],
        json["workflow_run_id"],
      ]),
    ).toEqual(
      Array.from({ length: 8 }, () => [...firsts, firsts.at(-1)])
        .flat()
        .map((id) => [201, "true", id]),
    );
  });
});
