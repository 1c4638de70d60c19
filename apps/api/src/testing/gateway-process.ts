import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type ManagedProcess, startProcess } from "@truerun/dev/processes/managed-process";
import { untilReady } from "@truerun/dev/processes/until-ready";
import { PROJECT_DIR } from "@truerun/dev/project-paths";

/** Compiles the gateway: the tests run the build, as in production. */
export async function buildGateway(): Promise<void> {
  const args = ["node_modules/typescript/bin/tsc", "-b", "apps/api/tsconfig.build.json"];
  await promisify(execFile)(process.execPath, args, { cwd: PROJECT_DIR });
}

export interface GatewayProcess extends ManagedProcess {
  port: number;
  /** Everything it has written so far, both streams. */
  output(): string;
}

/**
 * A gateway in a process of its own on a free port.
 *
 * @param folder - for its log
 * @throws when it ends instead; the message has all that it wrote
 */
export async function startGatewayProcess(
  folder: string,
  environment: Record<string, string>,
): Promise<GatewayProcess> {
  const logFile = join(folder, `${randomUUID()}.log`);
  const gateway = await startProcess({
    command: process.execPath,
    args: ["apps/api/dist/main.js"],
    cwd: PROJECT_DIR,
    env: { PATH: process.env["PATH"], PORT: "0", LOG_LEVEL: "info", ...environment },
    logFile,
    ipc: true,
  });
  const output = () => readFileSync(logFile, "utf8");
  const told = once(gateway.child, "message") as Promise<[{ port: number }]>;
  await untilReady(gateway, new AbortController().signal).catch(async (error: unknown) => {
    await gateway.stop("SIGKILL", 0);
    throw new Error(`The gateway did not start: ${output()}`, { cause: error });
  });
  const [{ port }] = await told;
  return { ...gateway, port, output };
}
