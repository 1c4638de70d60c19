import { findDefinition } from "@truerun/shared/definitions/definition-store";
import { saveDefinition } from "@truerun/shared/definitions/save-definition";
import { afterAll, beforeAll, expect, test } from "vitest";
import { echo } from "../testing/test-gateway.ts";
import { createTestRig, type TestRig } from "../testing/test-rig.ts";

let rig: TestRig;
beforeAll(async () => {
  rig = await createTestRig();
});
afterAll(async () => {
  await rig.close();
});

test("saving an unchanged file makes no version, keeps a definition disabled, and a changed one goes on", async () => {
  const key = { orgId: rig.org.orgId, name: "from a file" };
  const seed = (input: unknown) => saveDefinition(rig.db, { ...key, input, onlyIfChanged: true });
  expect(await findDefinition(rig.db, key)).toBeNull();
  expect(await seed(echo(1))).toMatchObject({ kind: "saved", created: true });
  await rig.db.workflowDefinition.updateMany({ where: key, data: { enabled: false } });
  expect(await seed(echo(1))).toMatchObject({
    kind: "unchanged",
    definition: { version: 1, enabled: false },
  });
  expect(await seed(echo(2))).toMatchObject({
    kind: "saved",
    created: false,
    definition: { version: 2 },
  });
  expect(await findDefinition(rig.db, key)).toMatchObject({ version: 2, name: key.name });
});

test("a definition with faults is not saved", async () => {
  const key = { orgId: rig.org.orgId, name: "faulty" };
  const result = await saveDefinition(rig.db, { ...key, input: { components: [] } });
  expect(result).toMatchObject({ kind: "invalid", faults: [{ loc: ["components"] }] });
  expect(await findDefinition(rig.db, key)).toBeNull();
});
