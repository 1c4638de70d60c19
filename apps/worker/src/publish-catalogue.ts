import { isDeepStrictEqual } from "node:util";
import { type Database, Prisma } from "@truerun/shared/db";
import type { Logger } from "@truerun/shared/logger";
import { z } from "zod";
import type { Component } from "./component.ts";
import {
  type ActionDescription,
  ENGINE_ACTION_DESCRIPTIONS,
} from "./engine-action-descriptions.ts";
import type { ExternalComponent } from "./external/external-component.ts";
import type { ExternalComponents } from "./external/load-external-components.ts";
import type { Components } from "./load-components.ts";

/** A row of `component_types`; the JSON columns as the text that they hold. */
interface CatalogueRow {
  action_type: string;
  title: string;
  description: string;
  input_schema: string;
  output_schema: string;
  defaults: string;
  task_queue: string | null;
}

/**
 * Makes the catalogue that definitions are checked against equal to this worker's components. Workers
 * that start together take turns; if all have the same components, only the first one writes. If they
 * differ, the last one to start wins: all workers of a service should have the same ones.
 *
 * @throws the database's error (nothing is changed then); an Error naming the component whose schema
 * has no JSON Schema
 */
export async function publishCatalogue(options: {
  db: Database;
  components: Components;
  externalComponents: ExternalComponents;
  logger: Logger;
}): Promise<void> {
  const { db, components, externalComponents, logger } = options;
  const own = [...[...components.values()].map(toDescription), ...ENGINE_ACTION_DESCRIPTIONS];
  const wanted = [...own.map(toRow), ...[...externalComponents.values()].map(toExternalRow)].sort(
    (a, b) => (a.action_type < b.action_type ? -1 : 1),
  );
  const actions = wanted.map((row) => row.action_type);
  const { isChanged, removed } = await db.$transaction(async (transaction) => {
    await transaction.$executeRaw`
      SELECT pg_advisory_xact_lock(hashtextextended('component_types', 0))`;
    const current = await transaction.$queryRaw<CatalogueRow[]>`
      SELECT action_type, title, description, input_schema::text, output_schema::text, defaults::text,
        task_queue
      FROM component_types
      ORDER BY action_type COLLATE "C"`;
    if (isDeepStrictEqual(current, wanted)) return { isChanged: false, removed: [] };
    await replaceRows(transaction, wanted);
    const published = current.map((row) => row.action_type);
    return { isChanged: true, removed: published.filter((action) => !actions.includes(action)) };
  });
  logger.info({ actions, isChanged }, "published the component catalogue");
  if (removed.length > 0) {
    logger.warn({ removed }, "actions left the catalogue: this worker does not have them");
  }
}

async function replaceRows(
  transaction: Prisma.TransactionClient,
  rows: readonly CatalogueRow[],
): Promise<void> {
  await transaction.$executeRaw`DELETE FROM component_types`;
  if (rows.length === 0) return;
  const values = rows.map(
    (row) => Prisma.sql`(${row.action_type}, ${row.title}, ${row.description},
      ${row.input_schema}::json, ${row.output_schema}::json, ${row.defaults}::json,
      ${row.task_queue})`,
  );
  await transaction.$executeRaw`
    INSERT INTO component_types
      (action_type, title, description, input_schema, output_schema, defaults, task_queue)
    VALUES ${Prisma.join(values)}`;
}

function toDescription({ timeout, retry, execution, ...component }: Component): ActionDescription {
  const local = execution === "local" ? { execution } : {};
  return { ...component, defaults: { timeout, retry, ...local } };
}

function toRow(described: ActionDescription): CatalogueRow {
  const { action, title, description, defaults } = described;
  return {
    action_type: action,
    title,
    description,
    input_schema: toSchemaText(described, "input"),
    output_schema: toSchemaText(described, "output"),
    defaults: JSON.stringify(defaults),
    task_queue: null,
  };
}

function toExternalRow(component: ExternalComponent): CatalogueRow {
  const { action, title, description, inputSchema, outputSchema, defaults, taskQueue } = component;
  return {
    action_type: action,
    title,
    description,
    input_schema: JSON.stringify(inputSchema),
    output_schema: JSON.stringify(outputSchema),
    defaults: JSON.stringify(defaults),
    task_queue: taskQueue,
  };
}

function toSchemaText(described: ActionDescription, io: "input" | "output"): string {
  try {
    return JSON.stringify(z.toJSONSchema(described[io], { io }));
  } catch (error) {
    throw new Error(`Component ${described.action}: its ${io} has no JSON Schema`, {
      cause: error,
    });
  }
}
