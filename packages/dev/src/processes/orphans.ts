import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { promisify } from "node:util";
import { pause } from "@truerun/shared/pause";

const exec = promisify(execFile);
const KILL_AFTER_MS = 10_000;

/** A process that an earlier start recorded. */
export interface RecordedProcess {
  /** File that begins with the process id. */
  pidFile: string;
  /** Text that its command line must contain: process ids are reused, and no other process may be hit. */
  mark: string;
  /** The signal that asks it to end. */
  signal: NodeJS.Signals;
}

/**
 * Ends a process that an earlier start left behind, and removes the file that names it.
 *
 * @returns whether there was one
 */
export async function endRecorded({ pidFile, mark, signal }: RecordedProcess): Promise<boolean> {
  if (!existsSync(pidFile)) return false;
  const pid = Number((await readFile(pidFile, "utf8")).split("\n")[0]);
  const isPid = Number.isSafeInteger(pid) && pid > 0;
  const ended = isPid && (await end(pid, mark, signal));
  await rm(pidFile, { force: true });
  return ended;
}

async function end(pid: number, mark: string, signal: NodeJS.Signals): Promise<boolean> {
  if (!(await isRunning(pid, mark))) return false;
  // A suspended process reacts to nothing but SIGKILL until it is resumed.
  send(pid, "SIGCONT");
  send(pid, signal);
  const deadline = Date.now() + KILL_AFTER_MS;
  while (await isRunning(pid, mark)) {
    if (Date.now() > deadline) send(pid, "SIGKILL");
    await pause(50);
  }
  return true;
}

async function isRunning(pid: number, mark: string): Promise<boolean> {
  return (await commandLineOf(pid))?.includes(mark) ?? false;
}

/** The command line of a running process; null when there is none of that id, or it has ended. */
async function commandLineOf(pid: number): Promise<string | null> {
  try {
    if (process.platform === "linux") {
      // Empty for a zombie: ended, but not yet noticed by its parent.
      const line = await readFile(`/proc/${pid}/cmdline`, "utf8");
      return line.replaceAll("\0", " ").trim() || null;
    }
    const { stdout } = await exec("ps", ["-ww", "-o", "stat=,args=", "-p", String(pid)]);
    const line = stdout.trim();
    return line === "" || line.startsWith("Z") ? null : line;
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

/** Tells a process apart from a later one with the same id: when it was started. Null when it is gone. */
export async function startMarkOf(pid: number): Promise<string | null> {
  try {
    if (process.platform === "linux") {
      const stat = await readFile(`/proc/${pid}/stat`, "utf8");
      // The program's name is in parentheses and may contain spaces; the rest are plain fields.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const [state, startedAt] = [fields[0], fields[19]];
      const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8");
      return state === "Z" ? null : `${boot.trim()}/${startedAt}`;
    }
    const { stdout } = await exec("ps", ["-o", "lstart=", "-p", String(pid)]);
    return stdout.trim() || null;
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** No such file or process; `ps` exits with 1 for the latter. */
function isGone(error: unknown): boolean {
  const { code } = error as { code?: string | number };
  return code === "ENOENT" || code === "ESRCH" || code === 1;
}
