// What is refused when definitions that run others are saved.
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestOrg } from "../testing/test-gateway.ts";
import { createTestRig, type TestRig } from "../testing/test-rig.ts";

let rig: TestRig;
beforeAll(async () => {
  rig = await createTestRig();
  await rig.db.componentType.create({
    data: {
      actionType: "run_workflow",
      title: "Run a workflow",
      description: "",
      inputSchema: { type: "object" },
      outputSchema: {},
      defaults: {},
    },
  });
});
afterAll(() => rig.close());

/** Saves a definition that runs the others, one per component. */
function save(name: string, called: readonly string[], key = rig.org.key) {
  const components = called.map((workflow_name, index) => ({
    key: `c${index}`,
    action: "run_workflow",
    with: { workflow_name },
  }));
  const path = `/v1/workflows/${encodeURIComponent(name)}`;
  return rig.gateways[0].send("PUT", path, { key, body: { components } });
}

const refused = (index: number, message: string) => ({
  detail: [
    {
      loc: ["body", "components", index, "with", "workflow_name"],
      msg: `Value error, ${message}`,
      type: "value_error",
    },
  ],
});

test("a workflow that runs itself", async () => {
  const answer = await save("self", ["elsewhere", "self"]);
  expect(answer.status).toBe(422);
  expect(answer.json).toEqual(
    refused(1, "the workflow 'self' would run inside a run of its own: self -> self"),
  );
});

test("a workflow that runs itself through others, once they are saved", async () => {
  expect((await save("a", ["b"])).status).toBe(201);
  expect((await save("b", ["nowhere", "c"])).status).toBe(201);
  // As a definition from before there were summaries is.
  await rig.db.$executeRaw`
    UPDATE workflow_definition_versions SET summary = NULL
     WHERE definition_id = (SELECT id FROM workflow_definitions WHERE name = 'a')`;
  const answer = await save("c", ["nowhere", "a"]);
  expect(answer.status).toBe(422);
  expect(answer.json).toEqual(
    refused(1, "the workflow 'c' would run inside a run of its own: c -> a -> b -> c"),
  );
  expect((await save("b", ["nowhere"])).status).toBe(200);
  expect((await save("c", ["nowhere", "a"])).status).toBe(201);
});

test("another org's definitions, and names that a reference gives, are not looked at", async () => {
  const other = await createTestOrg(rig.db);
  expect((await save("x", ["y"], other.key)).status).toBe(201);
  expect((await save("y", ["x"])).status).toBe(201);
  expect((await save("z", ["${{ input.next | default('z') }}"])).status).toBe(201);
});

test("chains of more than 16 child runs, wherever in them the definition stands", async () => {
  const names = Array.from({ length: 18 }, (_, depth) => `d${depth}`);
  // Both halves fit; the definition in the middle would join them.
  for (const [depth, name] of names.entries()) {
    if (depth !== 9)
      expect((await save(name, names.slice(depth + 1, depth + 2).concat("end"))).status).toBe(201);
  }
  const answer = await save("d9", ["other", "d10"]);
  expect(answer.status).toBe(422);
  expect(answer.json).toEqual(
    refused(1, `child runs would be more than 16 deep: ${[...names, "end"].join(" -> ")}`),
  );
  expect((await save("d9", ["d12"])).status).toBe(201);
});
