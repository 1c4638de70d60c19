// `npm run bench:reads`: what lists cost with few and with very many runs, and what their counts cost writers.
import { runInFolder } from "@truerun/dev/run-in-folder";
import { parseReadsOptions } from "./reads/reads-options.ts";
import { runReads } from "./reads/run-reads.ts";
import { toReadsTable } from "./report/reads-table.ts";
import { assertCommitted, toProvenance } from "./report/provenance.ts";
import { REFERENCE, saveResults } from "./report/results-file.ts";
import { writeDocs } from "./report/write-docs.ts";

const args = process.argv.slice(2);
await runInFolder({ name: "reads" }, async (dataDir) => {
  const options = parseReadsOptions(args);
  if (options.isForDocs) await assertCommitted();
  const provenance = await toProvenance(["npm run bench:reads --", ...args].join(" "), null);
  const say = (message: string): void => void process.stderr.write(`${message}\n`);
  const report = await runReads({ options, dataDir, path: process.env["PATH"], say });
  const reads = { ...provenance, ...report };
  await saveResults(options.isForDocs ? REFERENCE : "reads", { reads });
  if (options.isForDocs) await writeDocs({ reads });
  process.stdout.write(`${toReadsTable(report)}\n`);
  return true;
});
