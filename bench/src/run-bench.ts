import { relative } from "node:path";
import { PROJECT_DIR } from "@truerun/dev/project-paths";
import type { Display } from "@truerun/dev/report/display";
import { compare } from "./compare/compare.ts";
import { planStages } from "./compare/turns.ts";
import type { BenchOptions } from "./options.ts";
import { prepareBench } from "./prepare-bench.ts";
import { assertCommitted, type Provenance, toProvenance } from "./report/provenance.ts";
import { REFERENCE, type Results, RESULTS_DIR, saveResults } from "./report/results-file.ts";
import { toSections } from "./report/sections.ts";
import { writeDocs } from "./report/write-docs.ts";
import type { ScalingContext } from "./scaling/context.ts";
import { measureFairness } from "./scaling/fairness.ts";
import { measureGrowth } from "./scaling/growth.ts";
import { measureOverload } from "./scaling/overload.ts";
import { measureSoak } from "./scaling/soak.ts";
import { readDbosVersion } from "./systems/dbos.ts";

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

/**
 * Measures what the options name, shows it, and saves it to a file.
 *
 * @throws UsageError when the documentation is to show what is no commit
 */
export async function runBench(context: BenchContext): Promise<void> {
  const { options, command, display } = context;
  const startedAt = performance.now();
  if (options.isForDocs) await assertCommitted();
  display.status("Preparing");
  const bench = await prepareBench({ ...context, say: (text) => display.line(text) });
  const provenance = await toProvenance(command, bench.temporalCliPath);
  const measured = await measure({ bench, options, display }, provenance);
  display.close();
  const name = options.isForDocs ? REFERENCE : (options.name ?? toFileName(provenance.at));
  await saveResults(name, measured);
  if (options.isForDocs) await writeDocs(measured);
  const sections = toSections(measured).flatMap(({ tables }) => tables);
  display.line(["", command, provenance.machine, ...sections, ""].join("\n\n"));
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  display.line(`${relative(PROJECT_DIR, RESULTS_DIR)}/${name}.json; ${seconds} s`);
}

async function measure(context: ScalingContext, provenance: Provenance): Promise<Results> {
  const { only } = context.options;
  const results: Results = {};
  if (planStages(context.options).length > 0) {
    const samples = await compare(context);
    const hasDbos = samples.some(({ system }) => system === "dbos");
    const dbos = hasDbos ? { DBOS: await readDbosVersion() } : {};
    const versions = { ...provenance.versions, ...dbos };
    results.compare = { ...provenance, versions, samples };
  }
  if (only.includes("growth")) {
    results.growth = { ...provenance, points: await measureGrowth(context) };
  }
  if (only.includes("fairness")) {
    results.fairness = { ...provenance, ...(await measureFairness(context)) };
  }
  if (only.includes("overload")) {
    results.overload = { ...provenance, ...(await measureOverload(context)) };
  }
  if (only.includes("soak")) {
    results.soak = { ...provenance, ...(await measureSoak(context)) };
  }
  return results;
}

/** @param at - ISO 8601 */
function toFileName(at: string): string {
  return at.slice(0, 19).replaceAll(":", "-");
}
