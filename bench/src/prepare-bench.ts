import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleWorkflowCode, DefaultLogger } from "@temporalio/worker";
import { TEMPORAL_CACHE_DIR } from "@truerun/dev/project-paths";
import { findTemporal } from "@truerun/dev/temporal/find-temporal";
import { NAIVE_DIR } from "./systems/naive.ts";
import type { Bench } from "./systems/start-parts.ts";

export interface Preparation {
  dataDir: string;
  temporalCliPath: string | undefined;
  path: string | undefined;
  say: (message: string) => void;
}

const SOURCES = {
  raw: fileURLToPath(new URL("raw/workflows.js", import.meta.url)),
  naive: join(NAIVE_DIR, "dist", "workflows.js"),
};

/** Finds Temporal, and prebuilds the workflow bundles of raw and naive, as the service's is. */
export async function prepareBench(preparation: Preparation): Promise<Bench> {
  const { dataDir, path, say } = preparation;
  const temporalCliPath = await findTemporal({
    cliPath: preparation.temporalCliPath,
    cacheDir: TEMPORAL_CACHE_DIR,
    progress: (message) => say(`Temporal: ${message}`),
  });
  const bundle = async (name: keyof typeof SOURCES): Promise<string> => {
    const logger = new DefaultLogger("WARN");
    const { code } = await bundleWorkflowCode({ workflowsPath: SOURCES[name], logger });
    const file = join(dataDir, `${name}-bundle.js`);
    await writeFile(file, code);
    return file;
  };
  const bundles = { raw: await bundle("raw"), naive: await bundle("naive") };
  return { dataDir, temporalCliPath, path, bundles };
}
