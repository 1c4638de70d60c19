// The one way around Prisma: see docs/decisions/0011-hot-statements-go-past-prisma.md.
import type { Pool } from "pg";
import type { Database, Prisma } from "./db.ts";

/** A statement's text, with `$1` and so on, and its parameters. */
export type Statement = Pick<Prisma.Sql, "text" | "values">;

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
  statement: Statement,
): Promise<Row[]> {
  const direct = directs.get(db);
  if (direct === undefined) throw new Error("This database was not made by createDatabase");
  const { text, values } = statement;
  const name = direct.nameOf({ sql: text });
  const { rows } = await direct.pool.query<Row>({ name, text, values });
  return rows;
}

/** Stands in a text for a value that each call brings. */
class Slot<Values> {
  readonly name: keyof Values;
  constructor(name: keyof Values) {
    this.name = name;
  }
}

/**
 * Composes a statement's text once, for any values: a large one need not be put together from its parts, and its
 * parameters numbered, for each request.
 *
 * @param compose - called at once, and never again; `value("x")` stands for what each call gives as `x`
 */
export function composeOnce<Values extends object>(
  compose: (value: (name: keyof Values) => unknown) => Statement,
): (given: Values) => Statement {
  const { text, values } = compose((name) => new Slot<Values>(name));
  return (given) => ({
    text,
    values: values.map((each) => (each instanceof Slot ? given[each.name as keyof Values] : each)),
  });
}
