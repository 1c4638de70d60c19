import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { PROJECT_DIR } from "@truerun/dev/project-paths";
import type { Sample } from "../measure/sample.ts";
import type { ReadsReport } from "../reads/run-reads.ts";
import type { FairnessResult } from "../scaling/fairness.ts";
import type { GrowthPoint } from "../scaling/growth.ts";
import type { OverloadResult } from "../scaling/overload.ts";
import type { SoakResult } from "../scaling/soak.ts";

export const RESULTS_DIR = join(PROJECT_DIR, "bench", "results");
/** The only results kept in the repository: the documentation is generated from them. */
export const REFERENCE = "reference";

/** How something was measured. */
export interface Provenance {
  command: string;
  /** ISO 8601 */
  at: string;
  machine: string;
  /** Of what was measured; missing in older results, and without git. */
  commit?: string;
}

/** What a file holds; a part that was not measured is missing. */
export interface Results {
  compare?: Provenance & { samples: Sample[] };
  reads?: Provenance & ReadsReport;
  growth?: Provenance & { points: GrowthPoint[] };
  fairness?: Provenance & FairnessResult;
  overload?: Provenance & OverloadResult;
  soak?: Provenance & SoakResult;
}

export async function toProvenance(command: string): Promise<Provenance> {
  const processors = cpus();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  const machine = `${processors.length} × ${processors[0]?.model ?? "CPU"}, ${gigabytes} GB, ${process.platform} ${process.arch}, Node ${process.versions.node}`;
  const commit = await describeCommit();
  const at = new Date().toISOString();
  return { command, at, machine, ...(commit === null ? {} : { commit }) };
}

/** Marked `-dirty` when what is measured differs from the commit. */
async function describeCommit(): Promise<string | null> {
  const git = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)("git", args, { cwd: PROJECT_DIR });
    return stdout.trim();
  };
  try {
    const commit = await git("rev-parse", "--short", "HEAD");
    // The bench itself writes to these.
    const changed = await git("status", "--porcelain", "--", ":!docs", ":!bench/results");
    return changed === "" ? commit : `${commit}-dirty`;
  } catch {
    return null;
  }
}

/** Writes `bench/results/<name>.json`. Parts that were measured before stay in it, as they were written then. */
export async function saveResults(name: string, results: Results): Promise<void> {
  await mkdir(RESULTS_DIR, { recursive: true });
  const file = join(RESULTS_DIR, `${name}.json`);
  const before = existsSync(file) ? (JSON.parse(await readFile(file, "utf8")) as object) : {};
  await writeFile(file, `${JSON.stringify({ ...before, ...results }, null, 2)}\n`);
}
