import { isDeepStrictEqual } from "node:util";
import { type Database, Prisma } from "@truerun/shared/db";
import type { Logger } from "@truerun/shared/logger";
import { z } from "zod";
import type { Component } from "./component.ts";
import { type ActionDescription, ENGINE_ACTION_DESCRIPTIONS } from "./engine-actions.ts";
import type { Components } from "./load-components.ts";

/** A row of `component_types`; the JSON columns as the text that they hold. */
interface CatalogueRow {
  action_type: string;
  title: string;
  description: string;
  input_schema: string;
  output_schema: string;
  defaults: string;
}

/**
 * Makes the catalogue that definitions are checked against equal to this worker's components. Workers
 * that start together take turns; where all have the same components only the first one writes.
 *
 * @throws the database's error (nothing is changed then); an Error naming the component whose schema
 * has no JSON Schema
 */
export async function publishCatalogue(options: {
  db: Database;
  components: Components;
  logger: Logger;
}): Promise<void> {
  const { db, components, logger } = options;
  const wanted = [...[...components.values()].map(toDescription), ...ENGINE_ACTION_DESCRIPTIONS]
    .map(toRow)
    .sort((a, b) => (a.action_type < b.action_type ? -1 : 1));
  const isChanged = await db.$transaction(async (transaction) => {
    await transaction.$executeRaw`
      SELECT pg_advisory_xact_lock(hashtextextended('component_types', 0))`;
    const current = await transaction.$queryRaw<CatalogueRow[]>`
      SELECT action_type, title, description, input_schema::text, output_schema::text, defaults::text
      FROM component_types
      ORDER BY action_type COLLATE "C"`;
    if (isDeepStrictEqual(current, wanted)) return false;
    await replaceRows(transaction, wanted);
    return true;
  });
  logger.info({ actions: [...components.keys()], isChanged }, "published the component catalogue");
}

async function replaceRows(
  transaction: Prisma.TransactionClient,
  rows: readonly CatalogueRow[],
): Promise<void> {
  await transaction.$executeRaw`DELETE FROM component_types`;
  if (rows.length === 0) return;
  const values = rows.map(
    (row) => Prisma.sql`(${row.action_type}, ${row.title}, ${row.description},
      ${row.input_schema}::json, ${row.output_schema}::json, ${row.defaults}::json)`,
  );
  await transaction.$executeRaw`
    INSERT INTO component_types
      (action_type, title, description, input_schema, output_schema, defaults)
    VALUES ${Prisma.join(values)}`;
}

function toDescription({ timeout, retry, ...component }: Component): ActionDescription {
  return { ...component, defaults: { timeout, retry } };
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
