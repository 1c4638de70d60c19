import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PROJECT_DIR } from "@truerun/dev/project-paths";
import type { Sample } from "../measure/sample.ts";
import type { ReadsReport } from "../reads/run-reads.ts";
import type { FairnessResult } from "../scaling/fairness.ts";
import type { GrowthPoint } from "../scaling/growth.ts";
import type { OverloadResult } from "../scaling/overload.ts";
import type { SoakResult } from "../scaling/soak.ts";
import type { Provenance } from "./provenance.ts";

export const RESULTS_DIR = join(PROJECT_DIR, "bench", "results");
/** The only results kept in the repository: the documentation is generated from them. */
export const REFERENCE = "reference";

/** What a file holds; a part that was not measured is missing. */
export interface Results {
  compare?: Provenance & { samples: Sample[] };
  reads?: Provenance & ReadsReport;
  growth?: Provenance & { points: GrowthPoint[] };
  fairness?: Provenance & FairnessResult;
  overload?: Provenance & OverloadResult;
  soak?: Provenance & SoakResult;
}

/** Writes `bench/results/<name>.json`. Parts that were measured before stay in it, as they were written then. */
export async function saveResults(name: string, results: Results): Promise<void> {
  await mkdir(RESULTS_DIR, { recursive: true });
  const file = join(RESULTS_DIR, `${name}.json`);
  const before = existsSync(file) ? (JSON.parse(await readFile(file, "utf8")) as object) : {};
  await writeFile(file, `${JSON.stringify({ ...before, ...results }, null, 2)}\n`);
}
