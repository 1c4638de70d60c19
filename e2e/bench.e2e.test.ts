// Checks that the bench works and its table is complete. On a busy machine its figures mean nothing.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { PROJECT_DIR } from "../packages/dev/src/project-paths.ts";

/** The others are the same programs with other settings, but for DBOS, which is an install apart. */
const SYSTEMS = ["raw Temporal", "naive", "truerun"];

/** Which systems have a number in each line of a kind. */
const MEASURED: Record<string, readonly string[]> = {
  "accept, no worker": SYSTEMS,
  "accept, worker busy": ["naive", "truerun"],
  "runs to the end": SYSTEMS,
  "get run": ["naive", "truerun"],
  "replayed POST": ["truerun"],
};

test("the quick bench measures each system in each way", async () => {
  const stdout = await runBench("--systems", "raw,naive,service", "--name", "test");
  const [head = [], ...rows] = readRows(stdout);
  for (const [kind, systems] of Object.entries(MEASURED)) {
    const lines = rows.filter(([, what = ""]) => what.startsWith(`${kind}: `));
    expect(lines.length, kind).toBeGreaterThan(0);
    for (const line of lines) {
      const measured = SYSTEMS.filter((system) => Number(line[head.indexOf(system)]) > 0);
      expect(measured, line.join("|")).toEqual(systems);
    }
  }
  expect(stdout).toContain("bench/results/test.json");
});

// The others take longer, and start the same service in the same way.
test("the quick bench measures the service alone: fairness", async () => {
  const stdout = await runBench("--only", "fairness", "--runs", "40", "--name", "test-fairness");
  const rows = readRows(stdout).filter(([, , runs]) => Number(runs) > 0);
  expect(rows.map(([, when]) => when)).toEqual([
    "before there is a queue",
    expect.stringMatching(/^beside \d+ to \d+ open runs of another org$/),
    "after the queue",
  ]);
  for (const row of rows) expect(Number(row[3]), row.join("|")).toBeGreaterThan(0);
});

async function runBench(...options: string[]): Promise<string> {
  const args = ["run", "--silent", "bench", "--", "--quick", ...options];
  const { stdout } = await promisify(execFile)("npm", args, { cwd: PROJECT_DIR }).catch(
    (error: Error & { stdout?: string; stderr?: string }) => {
      throw new Error(`${error.stdout}\n${error.stderr}`);
    },
  );
  return stdout;
}

/** The lines of all tables; the first cell is before the first bar. */
function readRows(stdout: string): string[][] {
  return stdout
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) => line.split("|").map((cell) => cell.trim()));
}
