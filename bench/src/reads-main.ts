// `npm run bench:reads`: what lists cost for few and for very many runs, and what that costs writers.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { explainError } from "@truerun/dev/explain-error";
import { killAllProcesses } from "@truerun/dev/processes/managed-process";
import { PROJECT_DIR } from "@truerun/dev/project-paths";
import { parseReadsOptions } from "./reads/reads-options.ts";
import { toReportLines } from "./reads/reads-report.ts";
import { runReads } from "./reads/run-reads.ts";

const dataDir = await mkdtemp(join(tmpdir(), "truerun-reads-"));
// Whatever ends this process, what it started ends with it.
process.on("exit", () => killAllProcesses());
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => process.exit(130));
}
try {
  const options = parseReadsOptions(process.argv.slice(2));
  const say = (message: string): void => void process.stderr.write(`${message}\n`);
  const report = await runReads({ options, dataDir, say });
  const folder = join(PROJECT_DIR, "bench", "results");
  await mkdir(folder, { recursive: true });
  const text = JSON.stringify({ at: new Date().toISOString(), ...report }, null, 2);
  await writeFile(join(folder, "reads.json"), `${text}\n`);
  process.stdout.write(`${toReportLines(report).join("\n")}\n`);
  await rm(dataDir, { recursive: true, force: true });
  process.exit(0);
} catch (error) {
  process.stderr.write(`${explainError(error)}\nLogs and data are kept in ${dataDir}\n`);
  process.exit(1);
}
