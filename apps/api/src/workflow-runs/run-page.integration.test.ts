// Totals and pages must equal what counting and ordering all rows gives, in every snapshot, whoever writes.
import { hashApiKey } from "@truerun/shared/api-keys";
import { RUN_STATUSES, type RunStatus } from "@truerun/shared/contracts/statuses";
import type { Database } from "@truerun/shared/db";
import { newId } from "@truerun/shared/ids";
import { foldRunChanges } from "@truerun/shared/run-counts/fold-run-changes";
import { recountRuns } from "@truerun/shared/run-counts/recount-runs";
import { useTestDatabase } from "@truerun/dev/testing/use-test-database";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { toCredential } from "../http/authenticate.ts";
import { createTestOrg, type TestOrg } from "../testing/test-gateway.ts";
import { readRunPage, type RunPageRequest } from "./run-page.ts";

/** Small enough for blocks to be divided all the time. */
const BLOCK = 4;
const WRITERS = 4;
const WRITES = 40;
const NAMES = ["often", "seldom", "never"];
const MIDNIGHT = 1_790_000_000;
const SECONDS = 200;

const { db } = useTestDatabase({ poolSize: 12 });
let org: TestOrg;
const definitions = new Map<string, string>();

beforeAll(async () => {
  org = await createTestOrg(db);
  for (const name of NAMES) {
    const id = newId("cbwd");
    definitions.set(name, id);
    await db.workflowDefinition.create({
      data: { id, orgId: org.orgId, name, enabled: true, version: 1 },
    });
  }
});

type Client = Pick<Database, "$queryRaw" | "$executeRaw">;

interface Write {
  kind: "insert" | "end" | "reopen" | "delete" | "move" | "undone";
  orgId: string;
  name: string;
  /** Start times of several runs at once; some are equal. */
  atMs: number[];
  status: RunStatus;
  /** Percentage of the rows to change. */
  share: number;
}

/** What clients may do to runs, and what only a manual repair does. */
async function write(tx: Client, { kind, orgId, name, atMs, status, share }: Write): Promise<void> {
  const completedAt = status === "started" ? null : new Date();
  // Always in the same order: otherwise the row locks alone would deadlock.
  const some = await tx.$queryRaw<{ id: string }[]>`
    SELECT id FROM workflow_runs
     WHERE org_id = ${orgId} AND abs(hashtext(id)) % 100 < ${share} ORDER BY id FOR UPDATE`;
  const ids = some.map(({ id }) => id);
  const definitionId = definitions.get(name) ?? "";
  switch (kind) {
    case "insert":
    case "undone":
      await tx.$executeRaw`
        INSERT INTO workflow_runs (id, org_id, definition_id, definition_version, workflow_name,
                                   input, request_hash, status, completed_at, started_at)
        SELECT id, ${orgId}, ${definitionId}, 1, ${name}, '{}', '', ${status}, ${completedAt},
               to_timestamp(${MIDNIGHT}::float8 + at / 1000)
          FROM unnest(${atMs.map(() => newId("cbwr"))}::text[], ${atMs}::float8[]) AS new(id, at)`;
      break;
    case "end":
    case "reopen":
      await tx.$executeRaw`
        UPDATE workflow_runs SET status = ${status}, completed_at = ${completedAt}
         WHERE id = ANY (${ids}::text[])`;
      break;
    case "delete":
      await tx.$executeRaw`DELETE FROM workflow_runs WHERE id = ANY (${ids}::text[])`;
      break;
    case "move":
      await tx.$executeRaw`
        UPDATE workflow_runs SET definition_id = ${definitionId},
               started_at = to_timestamp(${MIDNIGHT}::float8 + ${atMs[0] ?? 0}::float8 / 1000)
         WHERE id = ANY (${ids}::text[])`;
  }
  if (kind === "undone") throw new Undone();
}
class Undone extends Error {}

const time = fc.oneof(fc.constant(7_000), fc.integer({ min: 0, max: SECONDS * 1_000 }));
const writeOf = (orgIds: readonly string[]): fc.Arbitrary<Write> =>
  fc.record({
    kind: fc.oneof(
      { weight: 12, arbitrary: fc.constant("insert" as const) },
      { weight: 8, arbitrary: fc.constantFrom("end" as const, "reopen" as const) },
      {
        weight: 2,
        arbitrary: fc.constantFrom("delete" as const, "move" as const, "undone" as const),
      },
    ),
    orgId: fc.constantFrom(...orgIds),
    name: fc.constantFrom("often", "often", "often", "seldom"),
    atMs: fc.array(time, { minLength: 1, maxLength: 12 }),
    status: fc.constantFrom(...RUN_STATUSES),
    share: fc.integer({ min: 0, max: 20 }),
  });

const second = fc.integer({ min: MIDNIGHT - 2, max: MIDNIGHT + SECONDS + 2 });
/** No window, wide ones, ones within a block, and ones that hold nothing. */
const window = fc.oneof(
  fc.record({ createdAfter: fc.option(second), createdBefore: fc.option(second) }),
  fc
    .tuple(second, fc.integer({ min: -1, max: 4 }))
    .map(([from, width]) => ({ createdAfter: from, createdBefore: from + width })),
);
const rest = fc.record({
  workflowName: fc.option(fc.constantFrom(...NAMES), { freq: 2 }),
  statuses: fc.subarray([...RUN_STATUSES], { minLength: 1 }),
  limit: fc.integer({ min: 1, max: 60 }),
  offset: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 400 }), fc.maxSafeNat()),
});
const requests: fc.Arbitrary<Omit<RunPageRequest, "credential">> = fc
  .tuple(rest, window)
  .map(([request, bounds]) => ({ ...request, ...bounds }));

interface Page {
  total: number;
  ids: string[];
}

async function read(tx: Client, request: Omit<RunPageRequest, "credential">): Promise<Page> {
  const credential = toCredential(hashApiKey(org.key));
  const row = await readRunPage(tx, { credential, ...request });
  const entries = JSON.parse(row?.entries ?? "null") as { id: string }[];
  return { total: row?.total ?? -1, ids: entries.map(({ id }) => id) };
}

/** The same by counting and ordering all rows. */
async function readPlainly(tx: Client, request: Omit<RunPageRequest, "credential">): Promise<Page> {
  const { workflowName: name, createdAfter: after, createdBefore: before } = request;
  const rows = await tx.$queryRaw<{ id: string }[]>`
    SELECT id FROM workflow_runs
     WHERE org_id = ${org.orgId} AND status = ANY (${[...request.statuses]}::text[])
       AND (${name}::text IS NULL OR definition_id = ${definitions.get(name ?? "") ?? null})
       AND (${after}::float8 IS NULL OR extract(epoch FROM started_at) >= ${after}::float8)
       AND (${before}::float8 IS NULL OR floor(extract(epoch FROM started_at)) <= ${before}::float8)
     ORDER BY started_at DESC, id DESC`;
  const ids = rows.map(({ id }) => id);
  return { total: ids.length, ids: ids.slice(request.offset, request.offset + request.limit) };
}

/** Compares both ways within one snapshot, for several requests. */
async function compare(sample: readonly Omit<RunPageRequest, "credential">[]): Promise<void> {
  await db.$transaction(
    async (tx) => {
      for (const request of sample) {
        const [page, plain] = [await read(tx, request), await readPlainly(tx, request)];
        expect(page, JSON.stringify(request)).toEqual(plain);
      }
    },
    { isolationLevel: "RepeatableRead", timeout: 20_000 },
  );
}

async function foldAll(): Promise<void> {
  while ((await foldRunChanges(db, BLOCK)) > 0);
}

const countChanges = async () => {
  const [row] = await db.$queryRaw<{ n: number }[]>`
    SELECT count(*)::int AS n FROM workflow_run_changes`;
  return row?.n;
};

test("totals and pages are exact in every snapshot, while many write and two add up", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const other = newId("cborg");
  const plans = Array.from({ length: WRITERS }, (_, index) =>
    fc.sample(writeOf([org.orgId, org.orgId, other]), { seed: seed + index, numRuns: WRITES }),
  );
  const sample = fc.sample(requests, { seed, numRuns: 300 });
  let writing = true;
  const addUp = async () => {
    while (writing) await foldRunChanges(db, BLOCK);
  };
  let compared = 0;
  const compareAll = async () => {
    for (; writing; compared += 4) await compare(sample.slice(compared % 200).slice(0, 4));
  };
  const writeAll = plans.map(async (plan) => {
    for (const each of plan) {
      const written = db.$transaction((tx) => write(tx, each), { timeout: 20_000 });
      await written.catch((error: unknown) => {
        if (!(error instanceof Undone)) throw error;
      });
    }
  });
  const written = Promise.all(writeAll).finally(() => {
    writing = false;
  });
  await Promise.all([written, addUp(), addUp(), compareAll()]);
  expect(compared, `seed ${seed}`).toBeGreaterThan(8);
  await foldAll();
  expect(await countChanges()).toBe(0);
  await compare(sample.slice(200));
  const [blocks] = await db.$queryRaw<{ n: number }[]>`
    SELECT count(*)::int AS n FROM workflow_run_counts WHERE org_id = ${org.orgId} AND definition_id = ''`;
  expect(blocks?.n, `seed ${seed}`).toBeGreaterThan(20);
});

test("writers of one block never wait for each other, in whatever order they write", async () => {
  const orgId = newId("cborg");
  for (const name of ["often", "seldom"]) {
    const two = { kind: "insert", orgId, name, atMs: [1, 2], status: "started", share: 0 } as const;
    await db.$transaction((tx) => write(tx, { ...two, atMs: [...two.atMs] }));
  }
  await foldAll();
  const runs = await db.workflowRun.findMany({
    where: { orgId },
    orderBy: { workflowName: "asc" },
  });
  const [often1, often2, seldom1, seldom2] = runs.map(({ id }) => id);
  const end = (tx: Client, id: string | undefined) =>
    tx.$executeRaw`UPDATE workflow_runs SET status = 'failed', completed_at = now() WHERE id = ${id}`;
  // Waiting for a lock fails almost at once. Both transactions stay open until both have written everything.
  await db.$transaction(async (one) => {
    await one.$executeRaw`SET LOCAL lock_timeout = '500ms'`;
    await db.$transaction(async (two) => {
      await two.$executeRaw`SET LOCAL lock_timeout = '500ms'`;
      await end(one, often1);
      await end(two, seldom1);
      await end(one, seldom2);
      await end(two, often2);
      // Neither waits for the adding up, nor does that wait for them.
      await foldRunChanges(db, BLOCK);
    });
  });
  await foldAll();
  const counts = await db.workflowRunCount.aggregate({
    where: { orgId, definitionId: "" },
    _sum: { started: true, failed: true },
  });
  expect(counts._sum).toEqual({ started: 0, failed: 4 });
});

test("runs of one moment are counted and paged although no block divides them", async () => {
  const same = { kind: "insert", orgId: org.orgId, name: "never", status: "failed" } as const;
  const atMs = Array.from({ length: 50 }, () => 3_500);
  for (let n = 0; n < 4; n += 1) {
    await db.$transaction((tx) => write(tx, { ...same, atMs, share: 0 }));
    await foldAll();
  }
  const one = { statuses: ["failed"] as RunStatus[], createdAfter: null, createdBefore: null };
  const request = { ...one, workflowName: "never", limit: 30, offset: 120 };
  expect((await read(db, request)).total).toBeGreaterThanOrEqual(200);
  await compare([request, { ...request, createdAfter: MIDNIGHT + 4 }]);
});

test("what was written past the triggers is counted again when asked for; a truncation forgets all", async () => {
  await db.$transaction(async (tx) => {
    await tx.$executeRaw`SET LOCAL session_replication_role = replica`;
    await tx.$executeRaw`DELETE FROM workflow_runs WHERE org_id = ${org.orgId} AND status = 'failed'`;
  });
  const all = { workflowName: null, createdAfter: null, createdBefore: null, limit: 5, offset: 3 };
  const request = { ...all, statuses: RUN_STATUSES };
  await expect(compare([request])).rejects.toThrow("to deeply equal");
  await recountRuns(db, org.orgId);
  await compare([request]);
  await db.$executeRaw`TRUNCATE workflow_runs`;
  expect(await read(db, request)).toEqual({ total: 0, ids: [] });
  expect([await db.workflowRunCount.count(), await countChanges()]).toEqual([0, 0]);
});
