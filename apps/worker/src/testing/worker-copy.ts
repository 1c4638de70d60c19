// For tests only: a copy of the built worker, with more files among its components.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { copyWorker } from "@truerun/dev/copy-worker";
import type { ManagedProcess } from "@truerun/dev/processes/managed-process";
import type { WorkerConfig } from "../config.ts";
import { startWorkerProcess } from "./worker-process.ts";

export interface WorkerCopy {
  /** Starts it as a process of its own, which is killed when the copy is removed, if not before. */
  start(config: WorkerConfig): Promise<ManagedProcess>;
  remove(): Promise<void>;
}

/** @param files - JavaScript by the name of its file in the folder of components */
export async function createWorkerCopy(files: Record<string, string>): Promise<WorkerCopy> {
  const folder = await mkdtemp(join(tmpdir(), "truerun-worker-copy-"));
  const main = await copyWorker(folder, files);
  const started: ManagedProcess[] = [];
  return {
    async start(config) {
      const worker = await startWorkerProcess(config, { folder, main });
      started.push(worker);
      return worker;
    },
    async remove() {
      await Promise.all(started.map((worker) => worker.stop("SIGKILL", 0)));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
