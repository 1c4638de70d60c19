import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashApiKey } from "@truerun/shared/api-keys";
import { afterAll, beforeAll, expect, test } from "vitest";
import { uniqueName } from "../testing/test-services.ts";
import { useTestDatabase } from "../testing/use-test-database.ts";
import { ensureDemoKey } from "./demo-key.ts";
import { ensureOrganization } from "./organization.ts";
import { DefinitionFileError, seedDefinitions } from "./seed-definitions.ts";
import { seed } from "./seed.ts";

const { db } = useTestDatabase({ poolSize: 12 });
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "truerun-seed-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

test("without a catalogue the seed says to start a worker, and makes nothing", async () => {
  await expect(seed(db, { dataDir: folder })).rejects.toThrow("start a worker first");
  expect(await db.organization.count({ where: { name: "demo" } })).toBe(0);
});

test("an org of one name is made once, however many ask for it", async () => {
  const name = uniqueName("org");
  const ids = await Promise.all(Array.from({ length: 10 }, () => ensureOrganization(db, name)));
  expect(new Set(ids).size).toBe(1);
});

test("the demo key is kept for its owner only, and made again once it does not work", async () => {
  const orgId = await ensureOrganization(db, uniqueName("org"));
  const file = join(folder, "demo-key");
  const first = await ensureDemoKey(db, orgId, file);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await ensureDemoKey(db, orgId, file)).toBe(first);

  await db.apiKey.delete({ where: { keyHash: hashApiKey(first) } });
  expect(await ensureDemoKey(db, orgId, file)).toBe(first);

  const where = { keyHash: hashApiKey(first) };
  await db.apiKey.update({ where, data: { revokedAt: new Date() } });
  const second = await ensureDemoKey(db, orgId, file);
  expect(second).not.toBe(first);
  expect(await readFile(file, "utf8")).toBe(`${second}\n`);
});

test("a definition file that is wrong is refused by its name, with every fault's place", async () => {
  const orgId = await ensureOrganization(db, uniqueName("org"));
  const path = join(folder, "broken.yaml");
  await writeFile(path, "components: [{ key: a, name: A, action: no_such_action }]\ncolor: red\n");
  const refused = seedDefinitions(db, { orgId, folder });
  await expect(refused).rejects.toThrow(DefinitionFileError);
  await expect(refused).rejects.toThrow(path);
  await expect(refused).rejects.toThrow(/color: Extra inputs/);
  await writeFile(path, "components: [");
  await expect(seedDefinitions(db, { orgId, folder })).rejects.toThrow(`${path} is not YAML`);
  expect(await db.workflowDefinition.count({ where: { orgId } })).toBe(0);
});
