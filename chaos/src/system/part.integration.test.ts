import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { startProcess } from "@truerun/dev/processes/managed-process";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { afterAll, afterEach, expect, test } from "vitest";
import { createPart, type Part } from "./part.ts";
import { processTree, signalAll } from "@truerun/dev/processes/process-tree";

const folder = mkdtempSync(join(tmpdir(), "truerun-part-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Sleeper {
  part: Part;
  /** One per start, the newest last. */
  pids: number[];
}

const sleepers: Sleeper[] = [];

/** A shell with a child, like a server with its sessions. */
async function createSleeper(): Promise<Sleeper> {
  const pids: number[] = [];
  const part = await createPart({
    name: "Sleeper",
    say: () => undefined,
    async start() {
      const command = { command: "sh", args: ["-c", "sleep 60; true"] };
      const process = await startProcess({ ...command, logFile: join(folder, "sleeper.log") });
      pids.push(process.pid);
      await waitFor("the child", async () => (await processTree(process.pid)).length === 2);
      return { process, stop: () => process.stop("SIGTERM", 5_000) };
    },
  });
  sleepers.push({ part, pids });
  return { part, pids };
}

afterEach(async () => {
  for (const { part, pids } of sleepers.splice(0)) {
    const [, ...children] = await processTree(pids.at(-1) ?? 0);
    await part.stop();
    signalAll(children, "SIGKILL");
  }
});

/** `T` for a process that is stopped; nothing for one that is gone. */
async function statesOf(tree: readonly number[]): Promise<string[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,state="]);
  const lines = stdout.split("\n").map((line) => line.trim().split(/\s+/));
  return lines.filter(([pid]) => tree.includes(Number(pid))).map(([, state = ""]) => state);
}

test("a killed part is gone with all that it started, and is back when the fault is over", async () => {
  const { part, pids } = await createSleeper();
  const tree = await processTree(pids[0] ?? 0);
  await part.kill();
  expect(pids).toHaveLength(2);
  await waitFor("their end", async () => (await statesOf(tree)).every((state) => state === "Z"));
});

test("all processes of a paused part stand still until it is over, and go on", async () => {
  const { part, pids } = await createSleeper();
  const tree = await processTree(pids[0] ?? 0);
  let whilePaused: string[] = [];
  await part.pause(async () => {
    await waitFor("the stop", async () => {
      whilePaused = await statesOf(tree);
      return whilePaused.every((state) => state === "T");
    });
  });
  expect(whilePaused).toEqual(["T", "T"]);
  expect(await statesOf(tree)).not.toContain("T");
  expect(pids).toHaveLength(1);
});

test("a part that is taken away comes back only when that is over", async () => {
  const [away, killed] = [await createSleeper(), await createSleeper()];
  let startsMeanwhile = 0;
  await away.part.takeAway(async () => {
    // A part that ended at the same time, but was not taken away, is back by now.
    await killed.part.kill();
    startsMeanwhile = away.pids.length;
  });
  expect(killed.pids).toHaveLength(2);
  expect(startsMeanwhile).toBe(1);
  expect(away.pids).toHaveLength(2);
});
