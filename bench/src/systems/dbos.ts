import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { findFreePort } from "@truerun/dev/processes/ports";
import { PROJECT_DIR } from "@truerun/dev/project-paths";
import { toDeployment } from "./express-system.ts";
import { type Bench, createParts } from "./start-parts.ts";
import type { Deployment } from "./system.ts";

const SOURCE_DIR = join(PROJECT_DIR, "bench", "dbos");
const INSTALL_DIR = join(PROJECT_DIR, ".cache", "bench-dbos");

const ENDED = `SELECT workflow_uuid AS id, status = 'SUCCESS' AS ok FROM dbos.workflow_status
  WHERE workflow_uuid = ANY($1) AND status NOT IN ('PENDING', 'ENQUEUED', 'DELAYED')`;

/** Whether DBOS is already installed. */
export function isDbosInstalled(): boolean {
  return existsSync(join(INSTALL_DIR, "node_modules", "@dbos-inc", "dbos-sdk"));
}

/**
 * Installs DBOS apart from the workspace: only this comparison needs it.
 *
 * @throws when it cannot be installed
 */
export async function installDbos(): Promise<void> {
  await mkdir(INSTALL_DIR, { recursive: true });
  await copyFile(join(SOURCE_DIR, "package.json"), join(INSTALL_DIR, "package.json"));
  const args = ["install", "--no-audit", "--no-fund", "--no-package-lock"];
  await promisify(execFile)("npm", args, { cwd: INSTALL_DIR });
}

/** Of what is installed. */
export async function readDbosVersion(): Promise<string> {
  const file = join(INSTALL_DIR, "node_modules", "@dbos-inc", "dbos-sdk", "package.json");
  return (JSON.parse(await readFile(file, "utf8")) as { version: string }).version;
}

/** DBOS Transact behind Express: `bench/dbos`. The process that accepts runs also executes them. */
export async function startDbos(bench: Bench): Promise<Deployment> {
  await copyFile(join(SOURCE_DIR, "dbos-main.mjs"), join(INSTALL_DIR, "dbos-main.mjs"));
  const parts = await createParts(bench, "dbos");
  const url = await parts.postgres();
  const port = await findFreePort();
  const env = { DATABASE_URL: url, PORT: String(port) };
  await parts.node({ kind: "worker", main: join(INSTALL_DIR, "dbos-main.mjs"), env });
  return await toDeployment({ name: "dbos", parts, url, port, endsSql: ENDED });
}
