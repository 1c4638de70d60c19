import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { claimDataDir } from "./claim-data-dir.ts";
import { readRuntime, writeRuntime } from "./runtime-file.ts";

let dataDir: string;
const said: string[] = [];
const context = {
  say: (text: string) => void said.push(text),
  signal: AbortSignal.timeout(60_000),
};

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "truerun-claim-"));
  said.length = 0;
});
afterEach(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

const lock = (): string => join(dataDir, "supervisor.lock");
const runtime = {
  pid: process.pid,
  databaseUrl: "postgresql://127.0.0.1/truerun",
  temporalAddress: "127.0.0.1:7233",
  temporalUiUrl: null,
  apiUrl: "http://127.0.0.1:3000",
};

test("a second claim is refused with where the first runs, until it is released", async () => {
  const claim = await claimDataDir(dataDir, context);
  await writeRuntime(dataDir, runtime);
  await expect(claimDataDir(dataDir, context)).rejects.toThrow(
    `process ${process.pid} serves http://127.0.0.1:3000`,
  );
  await claim.release();
  expect(await readRuntime(dataDir)).toBeNull();
  await (await claimDataDir(dataDir, context)).release();
});

test("a claim that is stopping is waited for", async () => {
  const claim = await claimDataDir(dataDir, context);
  await claim.markStopping();
  const next = claimDataDir(dataDir, context);
  const first = await Promise.race([next.then(() => "claimed"), releaseOnceAwaited()]);
  expect(first).toBe("released");
  await (await next).release();

  async function releaseOnceAwaited(): Promise<string> {
    await expect.poll(() => said).toContainEqual(expect.stringContaining("is stopping"));
    void claim.release();
    return "released";
  }
});

test("a claim of a process that is gone, or whose id is another's by now, is taken over", async () => {
  const claim = await claimDataDir(dataDir, context);
  const own = JSON.parse(await readFile(lock(), "utf8")) as object;
  await writeFile(lock(), JSON.stringify({ ...own, startMark: "an earlier boot/1" }));
  await writeRuntime(dataDir, runtime);
  const next = await claimDataDir(dataDir, context);
  expect(await readRuntime(dataDir)).toBeNull();
  await writeFile(lock(), "");
  const last = await claimDataDir(dataDir, context);
  for (const each of [claim, next, last]) await each.release();
});

test("of many that find a stale claim, one gets it", async () => {
  for (let round = 0; round < 5; round++) {
    await writeFile(lock(), JSON.stringify({ pid: 1, startMark: "never", isStopping: false }));
    const tries = Array.from({ length: 8 }, () => claimDataDir(dataDir, context));
    const results = await Promise.allSettled(tries);
    const claims = results.filter((result) => result.status === "fulfilled");
    expect(claims).toHaveLength(1);
    await claims[0]?.value.release();
  }
});
