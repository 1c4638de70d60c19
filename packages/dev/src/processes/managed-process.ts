import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";

export interface ManagedProcess {
  readonly pid: number;
  /** Resolves with the exit code or signal when the process has ended. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly child: ChildProcess;
  kill(signal: NodeJS.Signals): void;
  /** The last lines that this process (and no earlier one) wrote to its log; for error messages. */
  tail(): string;
  /** Sends `signal`, waits, then kills the process if need be. */
  stop(signal: NodeJS.Signals, timeoutMs: number): Promise<void>;
}

export interface ProcessSpec {
  command: string;
  args: readonly string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** File to which both outputs are appended. */
  logFile: string;
  /** Opens a message channel; when it closes, the process knows that its parent is gone. */
  ipc?: boolean;
}

const TAIL_LINES = 15;

/**
 * Starts a process in a group of its own, so that Ctrl-C in the terminal reaches only the supervisor,
 * which ends the others in order.
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
      // A suspended process reacts to nothing but SIGKILL until it is resumed.
      child.kill("SIGCONT");
      child.kill(signal);
      const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
      await exited;
      clearTimeout(timer);
    },
  };
}

const running = new Set<ChildProcess>();

/** Kills whatever {@link startProcess} started and still runs. For a supervisor that must not wait. */
export function killAllProcesses(): void {
  for (const child of running) child.kill("SIGKILL");
}
