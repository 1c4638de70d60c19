import { createTcpProxy } from "@truerun/dev/testing/tcp-proxy";
import { useTestDatabase } from "@truerun/dev/testing/use-test-database";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { createDatabase, type Database } from "@truerun/shared/db";
import { expect, test } from "vitest";
import { createMirrorDatabase } from "../mirror/mirror-database.ts";
import { asLeader } from "./as-leader.ts";
import { findLateWritten } from "./late-writes.ts";

const { url, db } = useTestDatabase({ poolSize: 5 });

const lead = (
  name: string,
  work: (signal: AbortSignal) => Promise<void>,
  { termMs = 60_000, through = db } = {},
) => asLeader({ db: through, name, termMs, signal: new AbortController().signal }, work);

const leads = async (name: string): Promise<boolean> => await lead(name, async () => undefined);

interface Held {
  end(): void;
  /** What became of it. */
  over: Promise<boolean>;
}

/** Work that lasts until it is told to end, or its signal says so. */
async function holdLead(options: { termMs?: number; through?: Database } = {}): Promise<Held> {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  let begin = (): void => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const over = lead(
    "test",
    async (signal) => {
      signal.addEventListener("abort", end);
      begin();
      await ended;
    },
    options,
  );
  // Whoever awaits it is told of a failure; until then nobody listens.
  void Promise.allSettled([over]);
  await begun;
  return { end, over };
}

test("one process leads at a time; others lead elsewhere", async () => {
  const first = await holdLead();
  expect(await leads("test")).toBe(false);
  expect(await leads("other")).toBe(true);
  first.end();
  expect(await first.over).toBe(true);
  expect(await leads("test")).toBe(true);
});

test("a term ends, and with it the work", async () => {
  const first = await holdLead({ termMs: 50 });
  expect(await first.over).toBe(true);
  expect(await leads("test")).toBe(true);
});

test("a leader whose connection is gone stops its work, and another one leads", async () => {
  const first = await holdLead();
  await db.$executeRaw`
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND state = 'idle in transaction'`;
  await waitFor("another leader", () => leads("test"), 5_000);
  await expect(first.over).rejects.toThrow(/not queryable|terminat|closed/);
});

test("a leader that Postgres does not hear of loses its place within ten seconds, and notices", async () => {
  const proxy = await createTcpProxy({ targetPort: Number(new URL(url).port) });
  const address = new URL(url);
  address.port = String(proxy.port);
  const far = createDatabase({ url: address.href, poolSize: 2, applicationName: "test" });
  const silenced = await holdLead({ through: far });
  proxy.freeze();
  const at = Date.now();
  await waitFor("another leader", () => leads("test"), 12_000);
  expect(Date.now() - at).toBeLessThan(10_000);
  await expect(silenced.over).rejects.toThrow(/timeout|terminat|closed|not queryable/i);
  proxy.cut();
  await far.$disconnect();
  await proxy.close();
});

test("a leader on the mirror's connections holds up no confirmation", async () => {
  const mirror = createMirrorDatabase(url, 2);
  const first = await holdLead({ through: mirror });
  const at = Date.now();
  expect(await findLateWritten(mirror, ["cbwr_none"])).toEqual([]);
  expect(Date.now() - at).toBeLessThan(1_500);
  first.end();
  await first.over;
  await mirror.$disconnect();
});

test("work that fails gives the lead back", async () => {
  await expect(lead("test", () => Promise.reject(new Error("planned")))).rejects.toThrow("planned");
  expect(await leads("test")).toBe(true);
});
