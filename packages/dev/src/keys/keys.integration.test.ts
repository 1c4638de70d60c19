import { hashApiKey } from "@truerun/shared/api-keys";
import { expect, test } from "vitest";
import { uniqueName } from "../testing/test-services.ts";
import { useTestDatabase } from "../testing/use-test-database.ts";
import { createKey } from "./create-key.ts";
import { listKeys } from "./list-keys.ts";
import { revokeKey } from "./revoke-key.ts";

const { db } = useTestDatabase({ poolSize: 2 });

const create = (org: string, name: string, expiry: { validForMs?: number } = {}) =>
  createKey(db, { org, name, scopes: ["workflows:write"], ...expiry });

function find(text: string) {
  const where = { keyHash: hashApiKey(text) };
  return db.apiKey.findUniqueOrThrow({ where, include: { organization: true } });
}

test("a new key is stored as its hash alone, with the scopes that were asked for", async () => {
  const org = uniqueName("org");
  const text = await create(org, "ci");
  const key = await find(text);
  const plain = { name: "ci", scopes: ["workflows:write"], revokedAt: null, expiresAt: null };
  expect(key).toMatchObject(plain);
  expect(key.organization.name).toBe(org);
  expect(JSON.stringify(key)).not.toContain(text);
});

test("a key is revoked by its text or its id, once, and no other with it", async () => {
  const org = uniqueName("org");
  const [first, second, third] = [
    await create(org, "1"),
    await create(org, "2"),
    await create(org, "3"),
  ];
  const { id } = await find(second);
  const told = (await find(first)).id;
  expect(await revokeKey(db, first)).toBe(`${told} of "${org}" is revoked`);
  expect(await revokeKey(db, id)).toBe(`${id} of "${org}" is revoked`);
  const { revokedAt } = await find(first);
  expect(revokedAt).not.toBeNull();
  expect(await revokeKey(db, first)).toBe(`${told} of "${org}" was revoked before`);
  expect((await find(first)).revokedAt).toEqual(revokedAt);
  expect((await find(third)).revokedAt).toBeNull();
  await expect(revokeKey(db, `cbak_${"0".repeat(32)}`)).rejects.toThrow("There is no such key.");
});

test("an org's keys are listed with their state, and never their text", async () => {
  const org = uniqueName("org");
  await create(uniqueName("org"), "another org's");
  const texts = [
    await create(org, "plain"),
    await create(org, "short", { validForMs: 1 }),
    await create(org, "long", { validForMs: 60_000 }),
  ];
  texts.push(await create(org, "gone"));
  await revokeKey(db, texts[3] ?? "");
  const lines = (await listKeys(db, org)).split("\n");
  expect(lines).toEqual([
    expect.stringMatching(/^cbak_\w{32}  valid  created \S+Z  workflows:write  "plain"$/),
    expect.stringMatching(/^cbak_\w{32}  expired \S+Z  .*"short"$/),
    expect.stringMatching(/^cbak_\w{32}  valid until \S+Z  .*"long"$/),
    expect.stringMatching(/^cbak_\w{32}  revoked \S+Z  .*"gone"$/),
  ]);
  expect(lines.join()).not.toContain("ak_live_");
  await expect(listKeys(db, "nobody")).rejects.toThrow('There is no org "nobody".');
});
