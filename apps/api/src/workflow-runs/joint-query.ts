import { type Database, isDatabaseUnavailable, type Prisma } from "@truerun/shared/db";
import { queryDirectly } from "@truerun/shared/direct-query";

/** Asked for in one statement at most: what one of them takes long for, the others of it wait for. */
const MOST_TOGETHER = 8;

/** Which of the items, counted from 1, a row answers. */
interface Placed {
  place: number;
}

interface Question<Item, Row> {
  item: Item;
  resolve: (row: Row) => void;
  reject: (error: unknown) => void;
}

/**
 * A query that many requests ask at the same time, each for its own row: what comes in one turn of the event loop
 * goes together in one statement, which saves most of what a statement costs. It begins after all that it answers
 * have asked.
 *
 * @param toStatement - a statement that has one row for each item, with its `place`
 * @returns asks for one item; throws what the statement throws. A database that is away is so for all that asked
 * together; any other error may be the fault of one of them, and each is asked for alone
 */
export function createJointQuery<Item, Row extends object>(
  toStatement: (items: readonly Item[]) => Prisma.Sql,
): (db: Database, item: Item) => Promise<Row> {
  type Group = Question<Item, Row>[];
  const gathering = new WeakMap<Database, Group>();

  function gather(db: Database, question: Question<Item, Row>): void {
    const group = gathering.get(db) ?? [];
    group.push(question);
    if (group.length === 1) {
      gathering.set(db, group);
      setImmediate(close, db, group);
    } else if (group.length === MOST_TOGETHER) close(db, group);
  }

  function close(db: Database, group: Group): void {
    if (gathering.get(db) !== group) return;
    gathering.delete(db);
    void answer(db, group);
  }

  async function answer(db: Database, group: Group): Promise<void> {
    try {
      const items = group.map(({ item }) => item);
      const rows = await queryDirectly<Row & Placed>(db, toStatement(items));
      const byPlace = new Map(rows.map((row) => [row.place, row]));
      for (const [index, { resolve, reject }] of group.entries()) {
        const row = byPlace.get(index + 1);
        if (row === undefined) reject(new Error(`The statement has no row for ${index + 1}`));
        else resolve(row);
      }
    } catch (error) {
      if (group.length > 1 && !isDatabaseUnavailable(error)) {
        for (const question of group) void answer(db, [question]);
      } else for (const { reject } of group) reject(error);
    }
  }

  return (db, item) => new Promise((resolve, reject) => gather(db, { item, resolve, reject }));
}
