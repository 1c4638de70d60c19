import { join } from "node:path";
import { migrate } from "@truerun/dev/migrations/migrate";
import { findFreePort } from "@truerun/dev/processes/ports";
import { PROJECT_DIR } from "@truerun/dev/project-paths";
import { toDeployment } from "./express-system.ts";
import { type Bench, createParts } from "./start-parts.ts";
import type { Deployment } from "./system.ts";

export const NAIVE_DIR = join(PROJECT_DIR, "bench", "naive");

const ENDED = `SELECT id, status = 'completed' AS ok FROM runs WHERE id = ANY($1) AND status <> 'started'`;

export interface NaiveOptions {
  name: "naive" | "untouched";
  withWorker: boolean;
}

/** Express, Prisma and `workflow.start`: `bench/naive`. */
export async function startNaive(
  bench: Bench,
  { name, withWorker }: NaiveOptions,
): Promise<Deployment> {
  const parts = await createParts(bench, name);
  const [url, address] = await Promise.all([
    parts.postgres(),
    parts.temporal({ isTuned: name === "naive" }),
  ]);
  await migrate({ url, prismaDir: join(NAIVE_DIR, "prisma") });
  const port = await findFreePort();
  const env = { DATABASE_URL: url, TEMPORAL_ADDRESS: address, PORT: String(port) };
  const main = (file: string): string => join(NAIVE_DIR, "dist", file);
  await parts.node({ kind: "gateway", main: main("api-main.js"), env });
  if (withWorker) {
    const settings = name === "naive" ? { UNCOMPRESSED: "1" } : {};
    const own = { ...env, ...settings, WORKFLOW_BUNDLE: bench.bundles.naive };
    await parts.node({ kind: "worker", main: main("worker-main.js"), env: own });
  }
  return await toDeployment({ name, parts, url, port, endsSql: ENDED });
}
