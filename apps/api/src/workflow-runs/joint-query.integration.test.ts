import { useTestDatabase } from "@truerun/dev/testing/use-test-database";
import { createTcpProxy } from "@truerun/dev/testing/tcp-proxy";
import { createDatabase, isDatabaseUnavailable, Prisma } from "@truerun/shared/db";
import { expect, test } from "vitest";
import { createJointQuery } from "./joint-query.ts";

interface Asked {
  number: number;
}

interface Answer {
  half: number;
  /** How many items the statement was for. */
  together: number;
}

const { url, db } = useTestDatabase({ poolSize: 8 });

/** Fails for 0. Returns the rows in reverse order. */
const ask = createJointQuery<Asked, Answer>(
  (asked) => Prisma.sql`
    SELECT place::int4 AS place, (10000 / number)::int4 AS half, (count(*) OVER ())::int4 AS together
    FROM unnest(${asked.map(({ number }) => number)}::int4[]) WITH ORDINALITY AS asked (number, place)
    ORDER BY place DESC`,
);

test("who asks alone is asked for alone", async () => {
  expect(await ask(db, { number: 5 })).toMatchObject({ half: 2_000, together: 1 });
});

test("who asks with others gets an own answer", async () => {
  const numbers = Array.from({ length: 100 }, (_, n) => n + 1);
  const answers = await Promise.all(numbers.map((number) => ask(db, { number })));
  expect(answers.map(({ half }) => half)).toEqual(numbers.map((n) => Math.trunc(10_000 / n)));
  expect(answers.map(({ together }) => together)).toEqual(numbers.map((n) => (n > 96 ? 4 : 8)));
});

test("what cannot be answered fails alone", async () => {
  const numbers = [1, 2, 0, 4];
  const results = await Promise.allSettled(numbers.map((number) => ask(db, { number })));
  expect(results).toMatchObject([
    { value: { half: 10_000, together: 1 } },
    { value: { half: 5_000, together: 1 } },
    { reason: { message: "division by zero" } },
    { value: { half: 2_500, together: 1 } },
  ]);
});

test("what takes too long fails alone", async () => {
  const brief = createDatabase({
    url,
    poolSize: 4,
    applicationName: "brief",
    statementTimeoutMs: 500,
  });
  const sleep = createJointQuery<{ seconds: number }, { slept: number }>(
    (asked) => Prisma.sql`
      SELECT place::int4 AS place, seconds AS slept, pg_sleep(seconds)::text
      FROM unnest(${asked.map(({ seconds }) => seconds)}::float8[]) WITH ORDINALITY AS asked (seconds, place)`,
  );
  try {
    const results = await Promise.allSettled([0, 5, 0].map((seconds) => sleep(brief, { seconds })));
    expect(results).toMatchObject([
      { value: { slept: 0 } },
      { reason: { message: "canceling statement due to statement timeout" } },
      { value: { slept: 0 } },
    ]);
  } finally {
    await brief.$disconnect();
  }
});

test("a database that is away is away for all that asked together, and there for the next", async () => {
  const proxy = await createTcpProxy({ targetPort: Number(new URL(url).port) });
  const address = new URL(url);
  address.host = `127.0.0.1:${proxy.port}`;
  const away = createDatabase({ url: address.href, poolSize: 2, applicationName: "away" });
  try {
    proxy.cut();
    const results = await Promise.allSettled([1, 2, 3].map((number) => ask(away, { number })));
    const reasons = results.map((each) => each.status === "rejected" && each.reason);
    expect(reasons.map(isDatabaseUnavailable)).toEqual([true, true, true]);
    proxy.restore();
    expect(await ask(away, { number: 1 })).toMatchObject({ half: 10_000 });
  } finally {
    await away.$disconnect();
    await proxy.close();
  }
});

test("a database has statements of its own", async () => {
  const other = createDatabase({ url, poolSize: 1, applicationName: "other" });
  try {
    const answers = await Promise.all([ask(db, { number: 1 }), ask(other, { number: 2 })]);
    expect(answers.map(({ together }) => together)).toEqual([1, 1]);
  } finally {
    await other.$disconnect();
  }
});
