import { fileURLToPath } from "node:url";
import { createTestDatabase, type TestDatabase } from "@truerun/dev/testing/test-services";
import { createDatabase, type Database } from "@truerun/shared/db";
import { checkAgainstCatalogue } from "@truerun/shared/definitions/check-against-catalogue";
import { loadCatalogue } from "@truerun/shared/definitions/load-catalogue";
import { createLogger } from "@truerun/shared/logger";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Component } from "./component.ts";
import transform from "./components/transform.ts";
import { parseExternalComponent } from "./external/external-component.ts";
import { loadComponents } from "./load-components.ts";
import { publishCatalogue } from "./publish-catalogue.ts";

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

let database: TestDatabase;
let db: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  db = createDatabase({ url: database.url, poolSize: 3, applicationName: "test" });
});
afterAll(async () => {
  await db.$disconnect();
  await database.drop();
});

/** Publishes what a worker with these components would. @returns what was logged */
async function publish(external: (typeof score)[]): Promise<Record<string, unknown>[]> {
  const logged: Record<string, unknown>[] = [];
  const logger = createLogger({ name: "test", level: "silent" });
  const note = (entry: object): void => void logged.push({ ...entry });
  await publishCatalogue({
    db,
    components: new Map([["transform", transform as unknown as Component]]),
    externalComponents: new Map(external.map((each) => [each.action, each])),
    logger: Object.assign(logger, { info: note, warn: note }),
  });
  return logged;
}

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

test("a worker without a declaration takes the action out of the catalogue, and says so", async () => {
  await publish([score]);
  expect(await publish([])).toMatchObject([{ isChanged: true }, { removed: ["score"] }]);
  expect((await loadCatalogue(db)).map((row) => row.action_type)).not.toContain("score");
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
