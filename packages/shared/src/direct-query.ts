// The one way around Prisma: see docs/decisions/0011-hot-statements-go-past-prisma.md.
import type { Pool } from "pg";
import type { Database, Prisma } from "./db.ts";

/** What a database's statements are sent over, and the names under which they are prepared. */
export interface Direct {
  pool: Pool;
  nameOf(statement: { sql: string }): string;
}

const directs = new WeakMap<Database, Direct>();

/** Makes {@link queryDirectly} possible. */
export function allowDirectQueries(db: Database, direct: Direct): void {
  directs.set(db, direct);
}

/**
 * The rows of a statement, as `$queryRaw` returns them and over the same connections, but without Prisma's work
 * for each: for statements so frequent that this matters. Columns may be `text`, `bool`, `int4`, `float8` and
 * `bytea`, parameters values of these types and lists of them: anything else looks different than through Prisma.
 *
 * @throws what `pg` throws; `isDatabaseUnavailable` recognizes it
 */
export async function queryDirectly<Row extends object>(
  db: Database,
  statement: Prisma.Sql,
): Promise<Row[]> {
  const direct = directs.get(db);
  if (direct === undefined) throw new Error("This database was not made by createDatabase");
  const { text, values } = statement;
  const name = direct.nameOf({ sql: text });
  const { rows } = await direct.pool.query<Row>({ name, text, values });
  return rows;
}
