import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startProcess } from "../processes/managed-process.ts";
import { endRecorded } from "../processes/orphans.ts";
import { untilReady } from "../processes/until-ready.ts";
import { PROJECT_DIR } from "../project-paths.ts";
import type { RunningPart } from "./supervise-part.ts";

export interface ServiceSpec {
  name: "api" | "worker";
  dataDir: string;
  environment: NodeJS.ProcessEnv;
  /** Its main file; default: as built. */
  main?: string;
  /** Aborts waiting for it to be ready. */
  signal: AbortSignal;
}

/** A service that is not ready has little to finish. */
const GIVE_UP_AFTER_MS = 5_000;
/** Above the longest grace time that can be configured: the service itself decides when to give up. */
const STOP_WITHIN_MS = 3_700_000;

/**
 * Starts the gateway or a worker, and waits until it reports that it is ready. It ends by itself when this
 * process is gone, because its message channel closes.
 *
 * @throws when it does not get ready; the message has the end of its log
 */
export async function startService({
  name,
  dataDir,
  environment,
  main = join(PROJECT_DIR, "apps", name, "dist", "main.js"),
  signal,
}: ServiceSpec): Promise<RunningPart> {
  const logFile = join(dataDir, "logs", `${name}.log`);
  const service = await startProcess({
    command: process.execPath,
    // The services ignore arguments: this one tells apart the processes of several data folders.
    args: ["--enable-source-maps", main, markOf(dataDir)],
    env: environment,
    cwd: PROJECT_DIR,
    logFile,
    ipc: true,
  });
  await writeFile(pidFile(dataDir, name), String(service.pid));
  try {
    await untilReady(service, signal);
  } catch (error) {
    await service.stop("SIGTERM", GIVE_UP_AFTER_MS);
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`The ${name} ${reason}. It wrote to ${logFile}:\n${service.tail()}`);
  }
  return { process: service, stop: () => service.stop("SIGTERM", STOP_WITHIN_MS) };
}

/** Ends a service that is still draining after its supervisor was killed. */
export async function endLeftOverService(
  dataDir: string,
  name: ServiceSpec["name"],
): Promise<void> {
  await endRecorded({ pidFile: pidFile(dataDir, name), mark: markOf(dataDir), signal: "SIGTERM" });
}

function markOf(dataDir: string): string {
  return `--data-dir=${dataDir}`;
}

function pidFile(dataDir: string, name: string): string {
  return join(dataDir, `${name}.pid`);
}
