// `npm run bench`: this service, plain Temporal, a plain use of it, and another engine, side by side.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { explainError } from "@truerun/dev/explain-error";
import { killAllProcesses } from "@truerun/dev/processes/managed-process";
import { createDisplay } from "@truerun/dev/report/display";
import { type BenchOptions, parseOptions, UsageError } from "./options.ts";
import { runBench } from "./run-bench.ts";
import { releaseAll } from "./systems/hold.ts";

function readOptions(args: readonly string[]): BenchOptions {
  try {
    return parseOptions(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

const args = process.argv.slice(2);
const options = readOptions(args);
const display = createDisplay(process.stdout);
const dataDir = await mkdtemp(join(tmpdir(), "truerun-bench-"));
// Whatever ends this process, what it started ends with it.
process.on("exit", () => {
  releaseAll();
  killAllProcesses();
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => process.exit(130));
}
try {
  await runBench({
    ...{ options, display, dataDir },
    command: ["npm run bench --", ...args].join(" "),
    temporalCliPath: process.env["TEMPORAL_CLI_PATH"],
    path: process.env["PATH"],
  });
  await rm(dataDir, { recursive: true, force: true });
  process.exit(0);
} catch (error) {
  display.close();
  process.stderr.write(`\n${explainError(error)}\nLogs and data are kept in ${dataDir}\n`);
  process.exit(1);
}
