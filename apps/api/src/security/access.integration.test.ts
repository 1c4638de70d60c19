// Who may call what: every endpoint with every kind of key that must not work there.
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { generateApiKey } from "@truerun/shared/api-keys";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defineWorkflow, insertRun, insertStep, type TestDefinition } from "../testing/run-rows.ts";
import { connectRaw, toHead } from "../testing/raw-connection.ts";
import { createTestKey } from "../testing/test-gateway.ts";
import { createTestRig, type TestRig } from "../testing/test-rig.ts";
import { type PathValues, requestEveryEndpoint, send } from "../testing/every-endpoint.ts";

let rig: TestRig;
let definition: TestDefinition;
/** What the org owns. */
let own: PathValues;
/** What does not exist. */
const nobodys: PathValues = {
  workflow_name: `w-${randomUUID()}`,
  workflow_run_id: `cbwr_${"0".repeat(32)}`,
  step_id: `cbwrs_${"0".repeat(32)}`,
};

beforeAll(async () => {
  rig = await createTestRig();
  definition = await defineWorkflow(rig);
  const runId = await insertRun(rig, definition);
  const stepId = await insertStep(rig, runId, {
    ordinal: 0,
    status: null,
    actionType: "wait_for_review",
  });
  own = { workflow_name: definition.name, workflow_run_id: runId, step_id: stepId };
});
afterAll(async () => {
  await rig.close();
});

/** Everything that the org owns, as its own key sees it. */
async function readOwn(): Promise<string[]> {
  const paths = [
    "/v1/workflows",
    `/v1/workflows/${own.workflow_name}`,
    "/v1/workflows/runs",
    `/v1/workflows/runs/${own.workflow_run_id}?include=input,error,details`,
  ];
  const { key } = rig.org;
  return await Promise.all(
    paths.map(async (path) => (await rig.gateways[0].send("GET", path, { key })).text),
  );
}

async function badKey(data: object): Promise<string> {
  const { key, keyId } = await createTestKey(rig.db, {
    orgId: rig.org.orgId,
    scopes: ["workflows:write"],
  });
  await rig.db.apiKey.update({ where: { id: keyId }, data });
  return key;
}

const wrongChecksum = (): string => {
  const { text } = generateApiKey();
  return `${text.slice(0, -1)}${text.endsWith("a") ? "b" : "a"}`;
};

const NOT_AUTHENTICATED = { detail: "Not authenticated" };
const INVALID = { detail: "Invalid or expired API key." };

describe("every endpoint refuses", () => {
  test.each<[what: string, makeKey: () => Promise<string | null>, answer: object]>([
    ["no key", async () => null, NOT_AUTHENTICATED],
    ["a text that is no key", async () => "ak_live_nonsense", INVALID],
    ["a key with a wrong checksum", async () => wrongChecksum(), INVALID],
    ["an unknown key", async () => generateApiKey().text, INVALID],
    ["a revoked key", () => badKey({ revokedAt: new Date() }), INVALID],
    ["an expired key", () => badKey({ expiresAt: new Date(Date.now() - 1_000) }), INVALID],
  ])("%s, and nothing happens", async (_, makeKey, answer) => {
    const key = await makeKey();
    const before = await readOwn();
    for (const values of [own, nobodys]) {
      for (const [at, request] of requestEveryEndpoint(values).entries()) {
        const gateway = rig.gateways[at % 2 === 0 ? 0 : 1];
        const { status, text, headers } = await send(gateway, request, { key });
        const expected = request.method === "HEAD" ? "" : JSON.stringify(answer);
        expect([request.name, status, text]).toEqual([request.name, 401, expected]);
        expect(headers["www-authenticate"]).toBe("Bearer");
      }
    }
    expect(await readOwn()).toEqual(before);
  });

  test("a key that was good a moment ago, at every gateway, from the next request on", async () => {
    for (const data of [{ revokedAt: new Date() }, { expiresAt: new Date() }]) {
      const { key, keyId } = await createTestKey(rig.db, {
        orgId: rig.org.orgId,
        scopes: ["workflows:write"],
      });
      for (const gateway of rig.gateways) {
        expect((await gateway.send("GET", "/v1/utils/authtest", { key })).status).toBe(200);
      }
      await rig.db.apiKey.update({ where: { id: keyId }, data });
      for (const gateway of rig.gateways) {
        for (const request of requestEveryEndpoint(own)) {
          const { status } = await send(gateway, request, { key });
          expect([request.name, status]).toEqual([request.name, 401]);
        }
      }
    }
  });

  test.each([
    ["PUT", { components: [{ key: "a", action: "transform", with: { value: 1 } }] }],
    ["POST", { input: {} }],
  ])("a key that is revoked while the body of its %s is on its way", async (method, value) => {
    const scopes: ["workflows:write"] = ["workflows:write"];
    const { key, keyId } = await createTestKey(rig.db, { orgId: rig.org.orgId, scopes });
    const gateway = rig.gateways[0];
    await gateway.send("GET", "/v1/utils/authtest", { key });
    const before = await readOwn();
    const path = `/v1/workflows/${own.workflow_name}${method === "POST" ? "/run" : ""}`;
    const body = JSON.stringify(value);
    const headers = {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      "content-length": String(body.length),
    };
    const connection = await connectRaw(gateway.port);
    connection.write(toHead(method, path, { headers }) + body.slice(0, 5));
    // By then the gateway has asked the database about the key once, before it reads on. Where it is slower than
    // that, this shows nothing: it asks once only.
    await pause(300);
    await rig.db.apiKey.update({ where: { id: keyId }, data: { revokedAt: new Date() } });
    connection.write(body.slice(5));
    expect(await connection.receive(INVALID.detail)).toMatch(/^HTTP\/1\.1 401 /);
    connection.close();
    expect(await readOwn()).toEqual(before);
  });

  test("a key that lacks its scope, and no other", async () => {
    const before = await readOwn();
    for (const request of requestEveryEndpoint(nobodys)) {
      const { status } = await send(rig.gateways[0], request, { key: rig.org.plainKey });
      const needsScope = request.endpoint.access !== "any_key";
      expect([request.name, status === 403]).toEqual([request.name, needsScope]);
    }
    expect(await readOwn()).toEqual(before);
  });
});

/** An answer without what may differ between two equivalent ones. */
function toComparable(text: string, values: PathValues): string {
  return text
    .replaceAll(values.workflow_name, "<name>")
    .replaceAll(/cb\w+_[0-9a-f]{32}/g, "<id>")
    .replaceAll(/_at":\d+/g, '_at":0');
}

test("what another org has is answered like what nobody has, and stays as it is", async () => {
  const before = await readOwn();
  const { key } = rig.otherOrg;
  const pairs = requestEveryEndpoint(own).map((request, at) => {
    const like = requestEveryEndpoint(nobodys)[at];
    if (like === undefined) throw new Error("Both lists are of the same endpoints");
    return [request, like] as const;
  });
  for (const [request, like] of pairs) {
    const theirs = await send(rig.gateways[0], request, { key });
    const none = await send(rig.gateways[1], like, { key });
    expect([request.name, theirs.status, toComparable(theirs.text, own)]).toEqual([
      request.name,
      none.status,
      toComparable(none.text, nobodys),
    ]);
    for (const id of [rig.org.orgId, definition.definitionId, rig.org.keyId]) {
      expect(theirs.text).not.toContain(id);
    }
  }
  expect(await readOwn()).toEqual(before);
});

test("a run of another org is in none of its lists", async () => {
  for (const path of ["/v1/workflows/runs", "/v1/workflows"]) {
    const { text } = await rig.gateways[0].send("GET", path, { key: rig.otherOrg.key });
    expect(text).not.toContain(own.workflow_run_id);
    expect(text).not.toContain(definition.definitionId);
  }
});
