// `npm test [-- part ...]`: every check of the project, or the named ones, in this order. Stops at the first
// that fails. The last line counts every test, and a failing check without tests as one failure.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { inProject } from "./project.mjs";
import { binOf, endTools, run, seconds } from "./run-tool.mjs";

const CHECKS = {
  format: { bin: ["@biomejs/biome", "biome"], args: ["format", "."] },
  lint: { bin: ["oxlint"], args: ["--type-aware", "--deny-warnings"] },
  types: { bin: ["typescript", "tsc"], args: ["--noEmit", "--pretty", "false"] },
  "dead-code": { bin: ["knip"], args: [] },
};
const TESTS = ["unit", "integration", "e2e"];

const parts = [...Object.keys(CHECKS), ...TESTS];
const wanted = process.argv.slice(2);
const unknown = wanted.filter((part) => !parts.includes(part));
if (unknown.length > 0) {
  process.stderr.write(`Unknown: ${unknown.join(", ")}. The parts are: ${parts.join(", ")}\n`);
  process.stdout.write("0 passed, 1 failed\n");
  process.exit(1);
}

const total = { passed: 0, failed: 0 };
let stopped = false;
const interrupt = () => {
  stopped = true;
  endTools();
};
process.on("SIGINT", interrupt).on("SIGTERM", interrupt);

const start = performance.now();
for (const part of parts) {
  if (wanted.length > 0 && !wanted.includes(part)) continue;
  const since = performance.now();
  process.stdout.write(`\n== ${part}\n`);
  const isPassed = TESTS.includes(part) ? await test(part) : await check(part);
  if (stopped) total.failed += 1;
  process.stdout.write(`== ${part}: ${isPassed ? "passed" : "FAILED"} in ${seconds(since)}\n`);
  if (!isPassed || stopped) break;
}
process.stdout.write(`\nAll in ${seconds(start)}\n`);
process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
process.exitCode = total.failed > 0 ? 1 : 0;

async function check(part) {
  const { bin, args } = CHECKS[part];
  const code = await runBin(bin, args);
  if (code !== 0) total.failed += 1;
  return code === 0;
}

/** Counted from vitest's own report. A run that failed without a failing test is one failure too. */
async function test(project) {
  mkdirSync(inProject(".cache"), { recursive: true });
  const folder = mkdtempSync(inProject(".cache", "test-report-"));
  const report = join(folder, "report.json");
  try {
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const code = await runBin(["vitest"], ["run", "--project", project, ...reporters]);
    const counts = existsSync(report) ? JSON.parse(readFileSync(report, "utf8")) : {};
    const { numPassedTests = 0, numFailedTests = 0 } = counts;
    total.passed += numPassedTests;
    total.failed += code !== 0 && numFailedTests === 0 ? 1 : numFailedTests;
    return code === 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A tool that cannot even be started is a failed check: the last line must still be printed. */
async function runBin([packageName, command], args) {
  try {
    const script = binOf(packageName, command ?? packageName);
    const tool = { command: process.execPath, args: [script, ...args], capture: false };
    const { code } = await run(tool);
    return code;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    return 1;
  }
}
