// `npm run bench:reads`: what lists cost with few and with very many runs, and what their counts cost writers.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PROJECT_DIR } from "@truerun/dev/project-paths";
import { runInFolder } from "@truerun/dev/run-in-folder";
import { parseReadsOptions } from "./reads/reads-options.ts";
import { toReportLines } from "./reads/reads-report.ts";
import { runReads } from "./reads/run-reads.ts";

await runInFolder({ name: "reads" }, async (dataDir) => {
  const options = parseReadsOptions(process.argv.slice(2));
  const say = (message: string): void => void process.stderr.write(`${message}\n`);
  const report = await runReads({ options, dataDir, path: process.env["PATH"], say });
  const results = join(PROJECT_DIR, "bench", "results");
  await mkdir(results, { recursive: true });
  const text = JSON.stringify({ at: new Date().toISOString(), ...report }, null, 2);
  await writeFile(join(results, "reads.json"), `${text}\n`);
  process.stdout.write(`${toReportLines(report).join("\n")}\n`);
  return true;
});
