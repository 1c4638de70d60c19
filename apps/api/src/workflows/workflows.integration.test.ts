import { randomUUID } from "node:crypto";
import { Prisma } from "@truerun/shared/db";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { echo } from "../testing/test-gateway.ts";
import { createTestRig, type TestRig } from "../testing/test-rig.ts";

let rig: TestRig;
beforeAll(async () => {
  rig = await createTestRig();
});
afterAll(async () => {
  await rig.close();
});

const at = (name: string) => `/v1/workflows/${encodeURIComponent(name)}`;
const unused = () => `w-${randomUUID()}`;

function send(method: string, path: string, body?: unknown, key = rig.org.key) {
  return rig.gateways[0].send(method, path, { key, body });
}

/** How many statements in this database wait for a lock. */
async function countWaiting(): Promise<number> {
  const rows = await rig.db.$queryRaw<{ count: number }[]>`
    SELECT count(*)::int AS count FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  return rows[0]?.count ?? 0;
}

const notFound = (name: string) => [
  404,
  { detail: { code: "workflow_not_found", message: `Workflow '${name}' not found.` } },
];

describe("PATCH", () => {
  test("enables and disables, and makes no version", async () => {
    const name = unused();
    await send("PUT", at(name), echo());
    const off = await send("PATCH", at(name), { enabled: false });
    expect([off.status, off.json["enabled"], off.json["version"]]).toEqual([200, false, 1]);
    expect((await send("GET", at(name))).json["enabled"]).toBe(false);
  });

  test("that waits for a replacement answers with the version that it made", async () => {
    const name = unused();
    await send("PUT", at(name), echo());
    const head = Prisma.sql`d.org_id = ${rig.org.orgId} AND d.name = ${name}`;
    let patched: ReturnType<typeof send> | undefined;
    await rig.db.$transaction(async (replacement) => {
      await replacement.$executeRaw`
        UPDATE workflow_definitions AS d SET version = 2 WHERE ${head}`;
      patched = send("PATCH", at(name), { enabled: false });
      await expect.poll(countWaiting, { timeout: 2_000 }).toBe(1);
      await replacement.$executeRaw`
        INSERT INTO workflow_definition_versions (definition_id, version, document)
        SELECT v.definition_id, 2, v.document FROM workflow_definition_versions v
        JOIN workflow_definitions d ON d.id = v.definition_id AND ${head}`;
    });
    const answer = await patched;
    expect([answer?.status, answer?.json]).toMatchObject([200, { enabled: false, version: 2 }]);
  });

  test.each([
    [{}, [{ loc: ["body", "enabled"], type: "missing" }]],
    [{ enabled: "no" }, [{ loc: ["body", "enabled"], type: "bool_type" }]],
    [{ enabled: null }, [{ loc: ["body", "enabled"], type: "bool_type" }]],
    [{ enabled: true, x: 1 }, [{ loc: ["body", "x"], type: "extra_forbidden" }]],
    [[], [{ loc: ["body"], type: "dict_type" }]],
  ])("refuses %j", async (body, detail) => {
    const answer = await send("PATCH", at(unused()), body);
    expect([answer.status, answer.json]).toMatchObject([422, { detail }]);
  });
});

test.each(["GET", "PATCH", "DELETE"])("%s of what is not there is a 404", async (method) => {
  const body = method === "PATCH" ? { enabled: true } : undefined;
  for (const [segment, shown] of [
    ["nope", "nope"],
    ["%00", "\u0000"],
    ["%E0%A4%A", "%E0%A4%A"],
    ["x".repeat(256), "x".repeat(256)],
  ] as const) {
    const answer = await send(method, `/v1/workflows/${segment}`, body);
    expect([answer.status, answer.json]).toEqual(notFound(shown));
  }
});

test("another org neither sees nor changes a definition", async () => {
  const name = unused();
  await send("PUT", at(name), echo());
  for (const [method, body] of [
    ["GET", undefined],
    ["PATCH", { enabled: false }],
    ["DELETE", undefined],
  ] as const) {
    const answer = await send(method, at(name), body, rig.otherOrg.key);
    expect([answer.status, answer.json]).toEqual(notFound(name));
  }
  expect((await send("PUT", at(name), echo(), rig.otherOrg.key)).status).toBe(201);
  expect((await send("GET", at(name))).json).toMatchObject({ enabled: true, version: 1 });
});

test("a list reads no documents, but those of definitions from before there were summaries", async () => {
  const name = unused();
  const about = { description: "\u0000 about", timeout: "3h" };
  await send("PUT", at(name), { ...echo(), ...about });
  const listed = async () => {
    const { json } = await send("GET", "/v1/workflows?limit=500");
    const entries = json["data"] as { workflow_name: string }[];
    return entries.find((entry) => entry.workflow_name === name);
  };
  const before = await listed();
  expect(before).toMatchObject({ workflow_name: name, ...about });
  const version = Prisma.sql`
    definition_id = (SELECT id FROM workflow_definitions WHERE name = ${name})`;
  await rig.db.$executeRaw`
    UPDATE workflow_definition_versions SET document = '{}' WHERE ${version}`;
  expect(await listed()).toEqual(before);
  const document = JSON.stringify({ ...about, components: [] });
  await rig.db.$executeRaw`
    UPDATE workflow_definition_versions
       SET summary = NULL, document = ${document}::json WHERE ${version}`;
  expect(await listed()).toEqual(before);
  await send("DELETE", at(name));
});

test("DELETE frees the name for a definition of its own", async () => {
  const name = unused();
  const first = await send("PUT", at(name), echo());
  const gone = await send("DELETE", at(name));
  expect([gone.status, gone.text]).toEqual([204, ""]);
  expect((await send("DELETE", at(name))).status).toBe(404);
  const second = await send("PUT", at(name), echo());
  expect([second.status, second.json["version"]]).toEqual([201, 1]);
  expect(second.json["workflow_definition_id"]).not.toBe(first.json["workflow_definition_id"]);
});

test("the list pages by name with an exact total and leaves components out", async () => {
  const { gateways, otherOrg } = rig;
  const names = ["B", "a", "Ä"].map((prefix) => `${prefix}-${randomUUID()}`);
  const before = await gateways[1].send("GET", "/v1/workflows", { key: otherOrg.key });
  for (const name of names) await send("PUT", at(name), echo(), otherOrg.key);
  const page = await gateways[1].send("GET", "/v1/workflows?limit=2&offset=1", {
    key: otherOrg.key,
  });
  expect(page.json).toMatchObject({ total: Number(before.json["total"]) + 3, limit: 2, offset: 1 });
  const all = await gateways[1].send("GET", "/v1/workflows", { key: otherOrg.key });
  const entries = all.json["data"] as { workflow_name: string }[];
  const listed = entries.map((entry) => entry.workflow_name).filter((name) => names.includes(name));
  expect(listed).toEqual(names);
  expect(Object.keys(entries[0] ?? {})).not.toContain("components");
  const past = await gateways[1].send("GET", "/v1/workflows?offset=1000", { key: otherOrg.key });
  expect(past.json).toEqual({ data: [], total: all.json["total"], limit: 100, offset: 1000 });
});
