// A short version of the chaos runs shown in `docs/reliability.md`.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { PROJECT_DIR } from "../packages/dev/src/project-paths.ts";

test("in a minute of faults nothing is lost, doubled or diverges", async () => {
  const args = ["--seed", "7", "--minutes", "0.5", "--runs", "40", "--faults", "12"];
  const { stdout } = await promisify(execFile)("npm", ["run", "--silent", "chaos", "--", ...args], {
    cwd: PROJECT_DIR,
  }).catch((error: Error & { stdout?: string; stderr?: string }) => {
    throw new Error(`${error.stdout}\n${error.stderr}`);
  });
  const table = new Map(
    stdout
      .split("\n")
      .filter((line) => line.startsWith("| "))
      .map((line) => line.split("|").map((cell) => cell.trim()))
      .map(([, what = "", count = ""]) => [what, count]),
  );
  const zero = ["lost", "doubled", "diverged"].map((what) => [what, table.get(what)]);
  expect(zero, stdout).toEqual([
    ["lost", "0"],
    ["doubled", "0"],
    ["diverged", "0"],
  ]);
  expect(Number(table.get("faults")), stdout).toBeGreaterThanOrEqual(10);
  expect(Number(table.get("runs")), stdout).toBeGreaterThanOrEqual(30);
});
