// For tests only: the built worker as a process of its own.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ManagedProcess, startProcess } from "@truerun/dev/processes/managed-process";
import type { WorkerConfig } from "../config.ts";

const MAIN = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

export interface WorkerProcessOptions {
  /** For its data, and its log unless told otherwise: `worker.log`. */
  folder: string;
  logFile?: string;
  /** Over the addresses and the task queue of the rig. */
  env?: Record<string, string>;
  /** The main file of a copy. */
  main?: string;
}

/** Starts it on the stores and the task queue of a rig, whose configuration is given. */
export async function startWorkerProcess(
  config: WorkerConfig,
  { folder, logFile = join(folder, "worker.log"), env = {}, main = MAIN }: WorkerProcessOptions,
): Promise<ManagedProcess> {
  return await startProcess({
    command: process.execPath,
    args: [main],
    logFile,
    env: {
      PATH: process.env["PATH"],
      DATABASE_URL: config.DATABASE_URL,
      TEMPORAL_ADDRESS: config.TEMPORAL_ADDRESS,
      TEMPORAL_TASK_QUEUE: config.TEMPORAL_TASK_QUEUE,
      DATA_DIR: folder,
      ...env,
    },
  });
}
