import { execFile } from "node:child_process";
import { promisify } from "node:util";

const exec = promisify(execFile);

/** The command line of a running process, or null when there is none of that id. */
export async function commandLineOf(pid: number): Promise<string | null> {
  try {
    const { stdout } = await exec("ps", ["-ww", "-o", "args=", "-p", String(pid)]);
    return stdout.trim() || null;
  } catch {
    return null;
  }
}

/**
 * Ends a process that an earlier start left behind. Only if its command line holds `mark`: process ids
 * are used again, and another program must not be hit.
 *
 * @returns whether there was one
 */
export async function endOrphan(
  pid: number,
  mark: string,
  signal: NodeJS.Signals,
): Promise<boolean> {
  if (!(await isRunning(pid, mark))) return false;
  process.kill(pid, "SIGCONT");
  process.kill(pid, signal);
  const deadline = Date.now() + 10_000;
  while (await isRunning(pid, mark)) {
    if (Date.now() > deadline) process.kill(pid, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return true;
}

async function isRunning(pid: number, mark: string): Promise<boolean> {
  const commandLine = await commandLineOf(pid);
  return commandLine !== null && commandLine.includes(mark) && !commandLine.includes("<defunct>");
}
