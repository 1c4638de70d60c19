import { relative } from "node:path";
import { PROJECT_DIR } from "@truerun/dev/project-paths";
import type { Display } from "@truerun/dev/report/display";
import { compare } from "./compare/compare.ts";
import type { BenchOptions } from "./options.ts";
import { prepareBench } from "./prepare-bench.ts";
import {
  REFERENCE,
  type Results,
  RESULTS_DIR,
  saveResults,
  toProvenance,
} from "./report/results-file.ts";
import { toCpuTable, toResultTable } from "./report/result-table.ts";
import { toTargetTable } from "./report/targets.ts";
import { writeDocs } from "./report/write-docs.ts";

export interface BenchContext {
  options: BenchOptions;
  /** What was typed. */
  command: string;
  /** A folder of its own for everything that the servers write. */
  dataDir: string;
  temporalCliPath: string | undefined;
  path: string | undefined;
  display: Display;
}

export async function runBench(context: BenchContext): Promise<void> {
  const { options, command, display } = context;
  const startedAt = performance.now();
  display.status("Preparing");
  const bench = await prepareBench({ ...context, say: (text) => display.line(text) });
  const provenance = toProvenance(command);
  const measured: Results = {};
  const samples = await compare({ bench, options, display });
  measured.compare = { ...provenance, samples };
  display.close();
  const name = options.isForDocs ? REFERENCE : (options.name ?? toFileName(provenance.at));
  const all = await saveResults(name, measured);
  if (options.isForDocs) await writeDocs(all);
  display.line(["", command, provenance.machine, "", toResultTable(samples), ""].join("\n"));
  display.line(`${toCpuTable(samples, 16)}\n\n${toTargetTable(samples)}\n`);
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  display.line(`${relative(PROJECT_DIR, RESULTS_DIR)}/${name}.json; ${seconds} s`);
}

/** @param at - ISO 8601 */
function toFileName(at: string): string {
  return at.slice(0, 19).replaceAll(":", "-");
}
