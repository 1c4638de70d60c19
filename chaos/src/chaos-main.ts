// `npm run chaos`: the whole service under a seed's faults, and whether everything that is promised held.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { explainError } from "@truerun/dev/explain-error";
import { killAllProcesses } from "@truerun/dev/processes/managed-process";
import { type ChaosOptions, parseOptions, UsageError } from "./options.ts";
import { createDisplay } from "@truerun/dev/report/display";
import { runChaos } from "./run-chaos.ts";
import { resumeAll } from "./system/part.ts";

function readOptions(args: readonly string[]): ChaosOptions {
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
const dataDir = await mkdtemp(join(tmpdir(), "truerun-chaos-"));
// Whatever ends this process, what it started ends with it.
process.on("exit", () => {
  resumeAll();
  killAllProcesses();
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => process.exit(130));
}
try {
  const command = ["npm run chaos --", ...args].join(" ");
  const temporalCliPath = process.env["TEMPORAL_CLI_PATH"];
  const held = await runChaos({ options, command, dataDir, temporalCliPath, display });
  if (held) await rm(dataDir, { recursive: true, force: true });
  else display.line(`Logs and data are kept in ${dataDir}`);
  process.exit(held ? 0 : 1);
} catch (error) {
  display.close();
  process.stderr.write(`\n${explainError(error)}\nLogs and data are kept in ${dataDir}\n`);
  process.exit(1);
}
