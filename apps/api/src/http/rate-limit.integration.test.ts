import { generateApiKey } from "@truerun/shared/api-keys";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestKey } from "../testing/test-gateway.ts";
import { createTestRig, type TestRig } from "../testing/test-rig.ts";

const BURST = 3;

let rig: TestRig;
beforeAll(async () => {
  rig = await createTestRig({ RATE_LIMIT_PER_KEY: "1", RATE_LIMIT_BURST: String(BURST) });
});
afterAll(async () => {
  await rig.close();
});

const AUTHTEST = "/v1/utils/authtest";

async function newKey() {
  return await createTestKey(rig.db, { orgId: rig.org.orgId, scopes: [] });
}

/** Sends `count` requests at once. */
async function ask(count: number, key: string, gateway: 0 | 1 = 0) {
  const asked = Array.from({ length: count }, () =>
    rig.gateways[gateway].send("GET", AUTHTEST, { key }),
  );
  return await Promise.all(asked);
}

describe("a key", () => {
  test("has its burst and its rate, in each process; the others are told when to come back", async () => {
    const { key } = await newKey();
    const startedAt = performance.now();
    const answers = [...(await ask(10, key, 0)), ...(await ask(10, key, 1))];
    const seconds = Math.ceil((performance.now() - startedAt) / 1_000);
    const taken = answers.filter(({ status }) => status === 200).length;
    expect(taken).toBeGreaterThanOrEqual(2 * BURST);
    expect(taken).toBeLessThanOrEqual(2 * (BURST + seconds));
    const refused = answers.filter(({ status }) => status !== 200);
    const message = "Too many requests with this API key. Try again shortly.";
    for (const { status, json, headers } of refused) {
      expect([status, json]).toEqual([429, { detail: { code: "rate_limited", message } }]);
      expect(headers["retry-after"]).toBe("1");
    }
    await waitFor("a token", async () => (await ask(1, key))[0]?.status === 200);
  });

  test("over its rate takes nothing from another of the same org, nor from what needs none", async () => {
    const [busy, quiet] = [await newKey(), await newKey()];
    expect((await ask(10, busy.key)).some(({ status }) => status === 429)).toBe(true);
    expect((await ask(1, quiet.key))[0]?.status).toBe(200);
    expect((await rig.gateways[0].send("GET", "/healthz")).status).toBe(200);
  });

  test("that is not good is a 401 however often it comes", async () => {
    const { key, keyId } = await newKey();
    await rig.db.apiKey.update({ where: { id: keyId }, data: { revokedAt: new Date() } });
    for (const bad of [key, generateApiKey().text, `${generateApiKey().text}x`]) {
      expect((await ask(10, bad)).map(({ status }) => status)).toEqual(Array(10).fill(401));
    }
  });

  test("over its rate is refused without the database", async () => {
    const { key } = await newKey();
    await ask(10, key);
    rig.databaseProxy.freeze();
    try {
      const statuses = (await ask(10, key)).map(({ status }) => status);
      expect(statuses).toContain(429);
    } finally {
      rig.databaseProxy.restore();
    }
  });
});
