import { createTestDatabase, type TestDatabase } from "@truerun/dev/testing/test-services";
import { createDatabase, type Database, Prisma } from "@truerun/shared/db";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createJointQuery } from "./joint-query.ts";

interface Asked {
  number: number;
}

interface Answer {
  half: number;
  /** How many were asked for in the statement. */
  together: number;
}

let database: TestDatabase;
let db: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  db = createDatabase({ url: database.url, poolSize: 8, applicationName: "test" });
});
afterAll(async () => {
  await db.$disconnect();
  await database.drop();
});

/** Takes a while, so that others come meanwhile; fails for 0. Rows come in the order from back to front. */
const ask = createJointQuery<Asked, Answer>(
  (asked) => Prisma.sql`
    SELECT place::int4 AS place, (10000 / number)::int4 AS half, (count(*) OVER ())::int4 AS together
    FROM unnest(${asked.map(({ number }) => number)}::int4[]) WITH ORDINALITY AS asked (number, place),
      (SELECT pg_sleep(0.05)) AS slept
    ORDER BY place DESC`,
);

test("who asks alone is asked for alone", async () => {
  expect(await ask(db, { number: 5 })).toMatchObject({ half: 2_000, together: 1 });
});

test("who asks with others gets an own answer, of a statement that begins after the question", async () => {
  const numbers = Array.from({ length: 100 }, (_, n) => n + 1);
  const answers = await Promise.all(numbers.map((number) => ask(db, { number })));
  expect(answers.map(({ half }) => half)).toEqual(numbers.map((n) => Math.trunc(10_000 / n)));
  const sizes = answers.map(({ together }) => together);
  expect(Math.max(...sizes)).toBe(16);
  // A hundred in statements of sixteen at most, of which the last has the rest.
  expect(new Set(sizes)).toEqual(new Set([16, 4]));
});

test("what a statement throws is thrown to all that it was for, and to nobody else", async () => {
  const numbers = [...Array.from({ length: 20 }, (_, n) => n + 1), 0];
  const results = await Promise.allSettled(numbers.map((number) => ask(db, { number })));
  const failed = results.map(({ status }) => status === "rejected");
  expect(failed).toEqual(numbers.map((_, n) => n >= 16));
  expect(await ask(db, { number: 1 })).toMatchObject({ half: 10_000 });
});

test("another database has statements of its own", async () => {
  const other = createDatabase({ url: database.url, poolSize: 1, applicationName: "other" });
  const answers = await Promise.all([ask(db, { number: 1 }), ask(other, { number: 2 })]);
  expect(answers.map(({ together }) => together)).toEqual([1, 1]);
  await other.$disconnect();
});
