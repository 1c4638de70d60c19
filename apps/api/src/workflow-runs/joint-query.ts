import { type Database, isDatabaseUnavailable, isStatementTimeout } from "@truerun/shared/db";
import { queryDirectly, type Statement } from "@truerun/shared/direct-query";

/** Maximum items per statement: all of them wait for the slowest. */
const MOST_TOGETHER = 8;

/** The position, counted from 1, of the item that a row answers. */
interface Placed {
  place: number;
}

interface Question<Item, Row> {
  item: Item;
  resolve: (row: Row) => void;
  reject: (error: unknown) => void;
}

/**
 * Combines look-ups that many requests make at the same time, each of its own row: those of one turn of the
 * event loop share a statement, which saves most of its cost. It begins after everyone it answers has asked.
 *
 * @param toStatement - builds a statement that returns one row for each item, with its `place`
 * @returns a function that looks up one item and throws what the statement throws. A database that is away
 * fails all of its items; any other error may be due to one of them, a large one that takes too long included, and
 * each is then looked up alone
 */
export function createJointQuery<Item, Row extends object>(
  toStatement: (items: readonly Item[]) => Statement,
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
      const isAway = isDatabaseUnavailable(error) && !isStatementTimeout(error);
      if (group.length > 1 && !isAway) {
        // Two at a time, so that large ones do not take all connections from others.
        const [even, odd] = [0, 1].map((rest) => group.filter((_, index) => index % 2 === rest));
        await Promise.all([even ?? [], odd ?? []].map((lane) => inTurn(db, lane)));
      } else for (const { reject } of group) reject(error);
    }
  }

  async function inTurn(db: Database, group: Group): Promise<void> {
    for (const question of group) await answer(db, [question]);
  }

  return (db, item) => new Promise((resolve, reject) => gather(db, { item, resolve, reject }));
}
