import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** A process and all its descendants, itself first. Postgres' sessions have process groups of their own. */
export async function processTree(root: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid="]);
  const pairs = stdout
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  const tree = [root];
  // Grows while it is walked: children of children are found in their turn.
  for (const parent of tree) {
    for (const [pid, ppid] of pairs) if (pid !== undefined && ppid === parent) tree.push(pid);
  }
  return tree;
}

/** Sends a signal to each that is still there. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}
