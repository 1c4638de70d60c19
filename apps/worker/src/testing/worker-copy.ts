// For tests only: what the build made of the worker, with more files among its components.
import { cp, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ManagedProcess, startProcess } from "@truerun/dev/processes/managed-process";
import type { WorkerConfig } from "../config.ts";

const WORKER = fileURLToPath(new URL("../..", import.meta.url));

export interface WorkerCopy {
  /** Starts it as a process of its own, which is killed at the latest when the copy is removed. */
  start(config: WorkerConfig): Promise<ManagedProcess>;
  remove(): Promise<void>;
}

/** @param files - JavaScript by the name of its file in the folder of components */
export async function copyWorker(files: Record<string, string>): Promise<WorkerCopy> {
  const folder = await mkdtemp(join(tmpdir(), "truerun-worker-copy-"));
  for (const part of ["dist", "data", "package.json"]) {
    await cp(join(WORKER, part), join(folder, part), { recursive: true });
  }
  await symlink(join(WORKER, "node_modules"), join(folder, "node_modules"));
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, "dist", "components", name), text);
  }
  const started: ManagedProcess[] = [];
  return {
    async start(config) {
      const worker = await startProcess({
        command: process.execPath,
        args: [join(folder, "dist", "main.js")],
        logFile: join(folder, "worker.log"),
        env: {
          DATABASE_URL: config.DATABASE_URL,
          TEMPORAL_ADDRESS: config.TEMPORAL_ADDRESS,
          TEMPORAL_TASK_QUEUE: config.TEMPORAL_TASK_QUEUE,
          DATA_DIR: folder,
        },
      });
      started.push(worker);
      return worker;
    },
    async remove() {
      await Promise.all(started.map((worker) => worker.stop("SIGKILL", 0)));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
