import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { startProcess } from "../processes/managed-process.ts";
import { waitFor } from "../testing/wait-for.ts";
import { type RunningPart, supervisePart } from "./supervise-part.ts";

const folder = mkdtempSync(join(tmpdir(), "truerun-part-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function startSleeper(): Promise<RunningPart> {
  const process = await startProcess({
    command: "sleep",
    args: ["60"],
    logFile: join(folder, "sleeper.log"),
  });
  return { process, stop: () => process.stop("SIGTERM", 5_000) };
}

test("a part that ends by itself is started again, until it is stopped", async () => {
  const said: string[] = [];
  const started: RunningPart[] = [];
  const part = await supervisePart({
    name: "Sleeper",
    say: (message) => void said.push(message),
    async start() {
      const sleeper = await startSleeper();
      started.push(sleeper);
      return sleeper;
    },
  });
  part.first.process.kill("SIGKILL");
  await waitFor("the second sleeper", () => said.includes("Sleeper is back"));
  expect(said).toEqual(["Sleeper ended (SIGKILL)", "Sleeper is back"]);
  await part.stop();
  expect(await started[1]?.process.exited).toEqual({ code: null, signal: "SIGTERM" });
  expect(started).toHaveLength(2);
});

test("a part that is just being started again when it is stopped is ended too", async () => {
  let finishRestart = (): void => undefined;
  const restart = new Promise<void>((resolve) => {
    finishRestart = resolve;
  });
  const started: RunningPart[] = [];
  let starts = 0;
  const part = await supervisePart({
    name: "Sleeper",
    say: () => undefined,
    async start() {
      starts += 1;
      if (starts > 1) await restart;
      const sleeper = await startSleeper();
      started.push(sleeper);
      return sleeper;
    },
  });
  part.first.process.kill("SIGKILL");
  await waitFor("the second start", () => starts === 2);
  const stopped = part.stop();
  finishRestart();
  await stopped;
  expect(await started[1]?.process.exited).toEqual({ code: null, signal: "SIGTERM" });
});
