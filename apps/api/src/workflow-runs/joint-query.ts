import type { Database, Prisma } from "@truerun/shared/db";
import { queryDirectly } from "@truerun/shared/direct-query";

/** Statements of one kind that are under way at once. */
const MOST_UNDER_WAY = 4;
/** Asked for in one statement. */
const MOST_TOGETHER = 16;

/** Which of the items, counted from 1, a row answers. */
interface Placed {
  place: number;
}

interface Question<Item, Row> {
  item: Item;
  resolve: (row: Row) => void;
  reject: (error: unknown) => void;
}

interface Desk<Item, Row> {
  waiting: Question<Item, Row>[];
  underWay: number;
}

/**
 * A query that many requests ask at the same time, each for its own row: what comes while so many statements are
 * under way goes together in the next one, which saves most of what a statement costs. Nobody who asks alone waits,
 * and every statement begins after all that it answers have asked.
 *
 * @param toStatement - a statement that has one row for each item, with its `place`
 * @returns asks for one item; throws what the statement throws, as all that were asked with it do
 */
export function createJointQuery<Item, Row extends object>(
  toStatement: (items: readonly Item[]) => Prisma.Sql,
): (db: Database, item: Item) => Promise<Row> {
  const desks = new WeakMap<Database, Desk<Item, Row>>();

  async function work(db: Database, desk: Desk<Item, Row>): Promise<void> {
    // What has come in this turn of the event loop goes together, too.
    await new Promise((resolve) => setImmediate(resolve));
    while (desk.waiting.length > 0) {
      const together = desk.waiting.splice(0, MOST_TOGETHER);
      try {
        const items = together.map(({ item }) => item);
        const rows = await queryDirectly<Row & Placed>(db, toStatement(items));
        if (rows.length !== items.length) throw new Error("The statement has not one row for each");
        for (const row of rows) together[row.place - 1]?.resolve(row);
      } catch (error) {
        for (const { reject } of together) reject(error);
      }
    }
    desk.underWay -= 1;
  }

  return (db, item) =>
    new Promise((resolve, reject) => {
      const desk = desks.get(db) ?? { waiting: [], underWay: 0 };
      desks.set(db, desk);
      desk.waiting.push({ item, resolve, reject });
      if (desk.underWay === MOST_UNDER_WAY) return;
      desk.underWay += 1;
      void work(db, desk);
    });
}
