import { fileURLToPath } from "node:url";
import { useTestDatabase } from "@truerun/dev/testing/use-test-database";
import { checkAgainstCatalogue } from "@truerun/shared/definitions/check-against-catalogue";
import { loadCatalogue } from "@truerun/shared/definitions/load-catalogue";
import { createLogger } from "@truerun/shared/logger";
import { expect, test } from "vitest";
import type { Component } from "./component.ts";
import transform from "./components/transform.ts";
import { parseExternalComponent } from "./external/external-component.ts";
import { loadComponents } from "./load-components.ts";
import { createCataloguePass, publishCatalogue } from "./publish-catalogue.ts";

const COMPONENTS = fileURLToPath(new URL("components", import.meta.url));

const score = parseExternalComponent({
  action_type: "score",
  title: "Score",
  description: "Scores",
  task_queue: "risk",
  input_schema: {
    type: "object",
    properties: { points: { type: "integer" } },
    required: ["points"],
    additionalProperties: false,
  },
  output_schema: { type: "integer" },
  defaults: { heartbeat_timeout: "10s" },
});

const { db } = useTestDatabase({ poolSize: 3 });

/** A worker that has these external components, as far as it publishes; and what it has logged. */
function createPublisher(external: (typeof score)[]) {
  const logged: Record<string, unknown>[] = [];
  const logger = createLogger({ name: "test", level: "silent" });
  const note = (entry: object): void => void logged.push({ ...entry });
  const options = {
    db,
    components: new Map([["transform", transform as unknown as Component]]),
    externalComponents: new Map(external.map((each) => [each.action, each])),
    logger: Object.assign(logger, { info: note, warn: note }),
  };
  return { start: () => publishCatalogue(options), pass: createCataloguePass(options), logged };
}

/** Publishes what a worker with these components would. @returns what was logged */
async function publish(external: (typeof score)[]): Promise<Record<string, unknown>[]> {
  const { start, logged } = createPublisher(external);
  await start();
  return logged;
}

/** More than the passes after which an action is removed that nobody publishes. */
const MANY_PASSES = 8;

const listActions = async () => (await loadCatalogue(db)).map((row) => row.action_type);

test("what another team's worker serves stands in the catalogue, and definitions are checked by its schema", async () => {
  expect(await publish([score])).toMatchObject([{ isChanged: true }]);
  expect(await publish([score])).toMatchObject([{ isChanged: false }]);
  const rows = await loadCatalogue(db);
  expect(rows.find((row) => row.action_type === "score")).toEqual({
    action_type: "score",
    title: "Score",
    description: "Scores",
    input_schema: score.inputSchema,
    output_schema: score.outputSchema,
    defaults: score.defaults,
    task_queue: "risk",
  });
  expect(rows.find((row) => row.action_type === "transform")).toMatchObject({ task_queue: null });
  const check = (points: unknown) =>
    checkAgainstCatalogue(db, { components: [{ key: "a", action: "score", with: { points } }] });
  expect(await check("many")).toMatchObject({
    ok: false,
    faults: [{ loc: ["components", 0, "with", "points"], type: "int_type" }],
  });
  expect(await check("${{ input.points }}")).toMatchObject({
    ok: true,
    definition: {
      components: [{ task_queue: "risk", heartbeat_timeout: "10s", timeout: "30s" }],
    },
  });
});

test("while a release is rolled out, a worker without an action leaves it in the catalogue", async () => {
  const fresh = createPublisher([score]);
  const old = createPublisher([]);
  await fresh.start();
  await old.start();
  expect(old.logged).toMatchObject([{ isChanged: false }, { others: ["score"] }]);
  for (let pass = 0; pass < MANY_PASSES; pass++) {
    await old.pass();
    await fresh.pass();
  }
  expect(await listActions()).toContain("score");
});

test("an action that no worker publishes any more leaves the catalogue, and the log says so", async () => {
  await publish([score]);
  const { pass, logged } = createPublisher([]);
  let passes = 0;
  while ((await listActions()).includes("score")) {
    await pass();
    expect((passes += 1)).toBeLessThan(MANY_PASSES);
  }
  expect(passes).toBeGreaterThan(2);
  expect(logged).toMatchObject([{ removed: ["score"] }]);
});

test("what was removed while its worker was cut off comes back with it, and changes nothing of others", async () => {
  const fresh = createPublisher([score]);
  const described = createPublisher([{ ...score, title: "Score of the newest release" }]);
  await fresh.start();
  await db.componentType.delete({ where: { actionType: "score" } });
  await fresh.pass();
  expect(await listActions()).toContain("score");
  await described.start();
  await fresh.pass();
  const row = (await loadCatalogue(db)).find((each) => each.action_type === "score");
  expect(row?.title).toBe("Score of the newest release");
});

test("every shipped component stands in it with all that a reader of definitions needs", async () => {
  const components = await loadComponents(COMPONENTS);
  const logger = createLogger({ name: "test", level: "silent" });
  await publishCatalogue({ db, components, externalComponents: new Map(), logger });
  const rows = await db.componentType.findMany();
  for (const { action, title, description, timeout, retry } of components.values()) {
    const row = rows.find((each) => each.actionType === action);
    expect(row).toMatchObject({
      title,
      description,
      inputSchema: { type: "object", properties: expect.any(Object) as object },
      outputSchema: expect.any(Object) as object,
      defaults: { timeout, retry },
    });
  }
  expect(rows.find((each) => each.actionType === "http_request")).toMatchObject({
    inputSchema: { properties: { method: { enum: expect.arrayContaining(["POST"]) as string[] } } },
    outputSchema: { properties: { status: { type: "integer" } } },
  });
});
