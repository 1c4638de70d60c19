import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endWithUsage, UsageError } from "@truerun/shared/command-line";
import { explainError } from "./explain-error.ts";
import { killAllProcesses } from "./processes/managed-process.ts";

export interface FolderRun {
  /** Part of the folder's name. */
  name: string;
  /** Called when this process ends, before what it started is killed: for releasing what is held. */
  onExit?: () => void;
  /** Called before an error is printed. */
  onError?: () => void;
}

/**
 * Runs a command that starts processes in a folder of its own, then ends this process: with 0 and the folder
 * removed, or with 1 and the folder kept. Whatever ends this process, what it started ends with it.
 *
 * @param work - returns whether all went well
 */
export async function runInFolder(
  { name, onExit = () => undefined, onError = () => undefined }: FolderRun,
  work: (folder: string) => Promise<boolean>,
): Promise<never> {
  const folder = await mkdtemp(join(tmpdir(), `truerun-${name}-`));
  process.on("exit", () => {
    onExit();
    killAllProcesses();
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => process.exit(130));
  }
  const kept = `Logs and data are kept in ${folder}\n`;
  try {
    const isWell = await work(folder);
    if (isWell) await rm(folder, { recursive: true, force: true });
    else process.stderr.write(kept);
    process.exit(isWell ? 0 : 1);
  } catch (error) {
    onError();
    if (error instanceof UsageError) {
      await rm(folder, { recursive: true, force: true });
      endWithUsage(error);
    }
    process.stderr.write(`\n${explainError(error)}\n${kept}`);
    process.exit(1);
  }
}
