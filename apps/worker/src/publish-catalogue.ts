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

export interface CatalogueOptions {
  db: Database;
  components: Components;
  externalComponents: ExternalComponents;
  logger: Logger;
}

/**
 * Puts this worker's components into the catalogue that definitions are checked against, when it starts. Where workers
 * describe an action differently, the last one to start wins. Actions of others stay: workers of two releases run side
 * by side while one is rolled out, and `createCataloguePass` removes what has no worker any more.
 *
 * @throws the database's error (nothing is changed then); an Error naming the component whose schema
 * has no JSON Schema
 */
export async function publishCatalogue(options: CatalogueOptions): Promise<void> {
  const { db, logger } = options;
  const wanted = toRows(options);
  const current = await db.$transaction(async (transaction) => {
    await takeTurn(transaction);
    const before = await transaction.$queryRaw<CatalogueRow[]>`
      SELECT action_type, title, description, input_schema::text, output_schema::text, defaults::text,
        task_queue
      FROM component_types`;
    await insertRows(
      transaction,
      wanted,
      Prisma.sql`title = excluded.title, description = excluded.description,
        input_schema = excluded.input_schema, output_schema = excluded.output_schema,
        defaults = excluded.defaults, task_queue = excluded.task_queue, published_at = now()`,
    );
    return new Map(before.map((row) => [row.action_type, row]));
  });
  const actions = wanted.map((row) => row.action_type);
  const isChanged = wanted.some((row) => !isDeepStrictEqual(row, current.get(row.action_type)));
  logger.info({ actions, isChanged }, "published the component catalogue");
  const others = [...current.keys()].filter((action) => !actions.includes(action));
  if (others.length > 0) {
    logger.warn({ others }, "the catalogue has actions that this worker does not have");
  }
}

/** So many passes in a row must find that nobody has published an action since the first of them. */
const UNPUBLISHED_PASSES = 5;

/**
 * Keeps the worker's actions in the catalogue, and removes those that no worker publishes any more. It goes by what it
 * has seen, not by the time: after an outage of the database, all workers' actions are old.
 *
 * @returns a pass, to be called at equal intervals by each worker
 */
export function createCataloguePass(options: CatalogueOptions): () => Promise<boolean> {
  const { db, logger } = options;
  const wanted = toRows(options);
  const actions = wanted.map((row) => row.action_type);
  let seen = new Map<string, { publishedAt: string; passes: number }>();
  return async () => {
    const { others, removed } = await db.$transaction(async (transaction) => {
      await takeTurn(transaction);
      await insertRows(transaction, wanted, Prisma.sql`published_at = now()`);
      const rows = await transaction.$queryRaw<{ action: string; publishedAt: string }[]>`
        SELECT action_type AS "action", published_at::text AS "publishedAt"
          FROM component_types WHERE action_type <> ALL (${actions})`;
      const counted = rows.map(({ action, publishedAt }) => {
        const before = seen.get(action);
        const passes = before?.publishedAt === publishedAt ? before.passes + 1 : 0;
        return { action, publishedAt, passes };
      });
      const gone = counted.filter(({ passes }) => passes >= UNPUBLISHED_PASSES);
      const names = gone.map(({ action }) => action);
      await transaction.componentType.deleteMany({ where: { actionType: { in: names } } });
      return { others: counted, removed: names };
    });
    seen = new Map(others.map(({ action, ...look }) => [action, look]));
    if (removed.length > 0) {
      logger.warn({ removed }, "actions left the catalogue: no worker has them any more");
    }
    return false;
  };
}

/** Workers' transactions on the catalogue come one after another. */
async function takeTurn(transaction: Prisma.TransactionClient): Promise<void> {
  await transaction.$executeRaw`
    SELECT pg_advisory_xact_lock(hashtextextended('component_types', 0))`;
}

/** @param update - what becomes of a row that is there already */
async function insertRows(
  transaction: Prisma.TransactionClient,
  rows: readonly CatalogueRow[],
  update: Prisma.Sql,
): Promise<void> {
  const values = rows.map(
    (row) => Prisma.sql`(${row.action_type}, ${row.title}, ${row.description},
      ${row.input_schema}::json, ${row.output_schema}::json, ${row.defaults}::json,
      ${row.task_queue}, now())`,
  );
  await transaction.$executeRaw`
    INSERT INTO component_types
      (action_type, title, description, input_schema, output_schema, defaults, task_queue, published_at)
    VALUES ${Prisma.join(values)}
    ON CONFLICT (action_type) DO UPDATE SET ${update}`;
}

function toRows({ components, externalComponents }: CatalogueOptions): CatalogueRow[] {
  const own = [...[...components.values()].map(toDescription), ...ENGINE_ACTION_DESCRIPTIONS];
  return [...own.map(toRow), ...[...externalComponents.values()].map(toExternalRow)];
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
