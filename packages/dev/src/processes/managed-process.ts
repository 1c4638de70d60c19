import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";

export interface ManagedProcess {
  readonly pid: number;
  /** Resolves when the process has ended, with what it ended by. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly child: ChildProcess;
  kill(signal: NodeJS.Signals): void;
  /** The last lines that this process, and no earlier one, wrote into its log; for an error's message. */
  tail(): string;
  /** Asks by `signal`, waits, and kills what did not listen. */
  stop(signal: NodeJS.Signals, timeoutMs: number): Promise<void>;
}

export interface ProcessSpec {
  command: string;
  args: readonly string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** File that gets both outputs, appended. */
  logFile: string;
  /** Opens a message channel, by whose end the process notices that its parent is gone. */
  ipc?: boolean;
}

const TAIL_LINES = 15;

/**
 * Starts a process in a group of its own: a Ctrl-C in the terminal reaches only the supervisor, which
 * ends the others in order.
 *
 * @throws when the command cannot be started
 */
export async function startProcess(spec: ProcessSpec): Promise<ManagedProcess> {
  const log = openSync(spec.logFile, "a");
  const logStart = fstatSync(log).size;
  const child = spawn(spec.command, spec.args, {
    detached: true,
    stdio: spec.ipc === true ? ["ignore", log, log, "ipc"] : ["ignore", log, log],
    ...(spec.env === undefined ? {} : { env: spec.env }),
    ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
    ...(spec.uid === undefined ? {} : { uid: spec.uid }),
    ...(spec.gid === undefined ? {} : { gid: spec.gid }),
  });
  closeSync(log);
  running.add(child);
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once("exit", (code, signal) => {
      running.delete(child);
      resolve({ code, signal });
    });
  });
  const pid = await new Promise<number>((resolve, reject) => {
    child.once("error", (error) => {
      running.delete(child);
      reject(error);
    });
    child.once("spawn", () => resolve(child.pid ?? -1));
  });
  return {
    pid,
    exited,
    child,
    kill: (signal) => void child.kill(signal),
    tail() {
      const written = readFileSync(spec.logFile).subarray(logStart).toString();
      return written.trimEnd().split("\n").slice(-TAIL_LINES).join("\n");
    },
    async stop(signal, timeoutMs) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      // A stopped process hears nothing but SIGKILL until it is continued.
      child.kill("SIGCONT");
      child.kill(signal);
      const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
      await exited;
      clearTimeout(timer);
    },
  };
}

const running = new Set<ChildProcess>();

/** Kills whatever {@link startProcess} started and still runs. For a supervisor that may not wait. */
export function killAllProcesses(): void {
  for (const child of running) child.kill("SIGKILL");
}
