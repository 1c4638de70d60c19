import { execFile, type SpawnOptions, spawn } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readdir, readFile, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { PROJECT_DIR } from "../packages/dev/src/project-paths.ts";
import { waitFor } from "../packages/dev/src/testing/wait-for.ts";

const exec = promisify(execFile);

/** A copy of what a clone would contain, in a folder of its own that only its owner may enter. */
export interface FreshClone {
  folder: string;
  /** Runs `npm <args>` in it, to its end. */
  npm(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }>;
  /** Starts `npm start` in it. */
  start(settings: Record<string, string>): Started;
  /** Running processes that have to do with the folder, as `ps` lists them. */
  processes(): Promise<string[]>;
  remove(): Promise<void>;
}

export interface Started {
  /** Everything it has printed so far, to stdout and stderr. */
  output(): string;
  /** Waits for the banner. @throws when it ends first, or takes too long */
  ready(timeoutMs: number): Promise<Banner>;
  /** Signals npm itself, as a service manager would. */
  kill(signal: NodeJS.Signals): void;
  exited: Promise<number | null>;
}

/** What is read from the banner, as a person would. */
export interface Banner {
  apiUrl: string;
  uiUrl: string;
  demoKey: string;
  /** The printed command, for a shell to run. */
  curl: string;
}

/** Copies the tracked files and those not ignored, so nothing that was built or fetched. */
export async function createFreshClone(): Promise<FreshClone> {
  const folder = await mkdtemp(join(tmpdir(), "truerun-clone-"));
  const list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const { stdout } = await exec("git", list, { cwd: PROJECT_DIR, maxBuffer: 64 * 1024 * 1024 });
  for (const file of stdout.split("\0").filter((name) => name !== "")) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    try {
      await copyFile(join(PROJECT_DIR, file), join(folder, file));
    } catch (error) {
      // Tracked, but deleted in the working tree.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return {
    folder,
    start: (settings) => startIn(folder, settings),
    processes: () => findProcesses(folder),
    remove: () => rm(folder, { recursive: true, force: true }),
    async npm(args) {
      const child = spawn("npm", args, { ...optionsIn(folder, {}), stdio: "pipe" });
      let [stdout, stderr] = ["", ""];
      child.stdout.on("data", (chunk: Buffer) => {
        stdout += chunk.toString();
      });
      child.stderr.on("data", (chunk: Buffer) => {
        stderr += chunk.toString();
      });
      const code = await new Promise<number>((resolve, reject) => {
        child.once("error", reject);
        child.once("close", (exitCode) => resolve(exitCode ?? -1));
      });
      return { code, stdout, stderr };
    },
  };
}

/** Starts `npm start` in a folder of the repository. */
export function startIn(folder: string, settings: Record<string, string>): Started {
  const child = spawn("npm", ["start"], { ...optionsIn(folder, settings), stdio: "pipe" });
  let text = "";
  const collect = (chunk: Buffer): void => {
    text += chunk.toString();
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  let hasEnded = false;
  const exited = new Promise<number | null>((resolve) => {
    child.once("close", (code) => {
      hasEnded = true;
      resolve(code);
    });
  });
  return {
    exited,
    output: () => text,
    kill: (signal) => void child.kill(signal),
    async ready(timeoutMs) {
      const ended = "Ctrl-C stops everything";
      await waitFor("the banner", () => hasEnded || text.includes(ended), timeoutMs).catch(
        (error: unknown) => {
          throw new Error(`${String(error)}\n${text}`);
        },
      );
      if (!text.includes(ended)) throw new Error(`npm start ended:\n${text}`);
      return readBanner(text);
    },
  };
}

function readBanner(text: string): Banner {
  const find = (pattern: RegExp): string => {
    const found = pattern.exec(text)?.[1];
    if (found === undefined) throw new Error(`The banner has no ${pattern}:\n${text}`);
    return found;
  };
  return {
    apiUrl: find(/API +(http:\S+)/),
    uiUrl: find(/Web UI +(http:\S+)/),
    demoKey: find(/Demo key +(\S+)/),
    curl: find(/^ +(curl .*\/run(?: .*\\\n)?(?:.*\\\n)*.*)$/m),
  };
}

/** An ordinary shell's environment, without our settings and what this test run and its npm have added. */
function optionsIn(folder: string, settings: Record<string, string>): SpawnOptions {
  const added =
    /^(npm_(lifecycle|package|command|node|execpath)|VITEST|TEST$|NODE_ENV$|NODE_OPTIONS$|INIT_CWD$|CI$)/;
  const ours = /^(TEMPORAL_|DATABASE_|DISPATCH_|MAX_BODY|LOG_LEVEL$|PORT$|HOST$|DATA_DIR$)/;
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !added.test(name) && !ours.test(name)),
  );
  return { cwd: folder, env: { ...env, ...settings } };
}

async function findProcesses(folder: string): Promise<string[]> {
  const { stdout } = await exec("ps", ["-ww", "-eo", "pid=,stat=,args="], {
    maxBuffer: 16 * 1024 * 1024,
  });
  const lines = stdout.split("\n").map((line) => line.trim());
  const inFolder = await findByWorkingFolder(folder);
  return lines.filter((line) => {
    const [pid = "", state = ""] = line.split(/\s+/);
    if (pid === "" || state.startsWith("Z") || Number(pid) === process.pid) return false;
    return line.includes(folder) || inFolder.has(pid);
  });
}

/** By `/proc`, where there is one: the command line of `npm start` does not name its folder. */
async function findByWorkingFolder(folder: string): Promise<Set<string>> {
  const found = new Set<string>();
  if (process.platform !== "linux") return found;
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      if ((await readlink(`/proc/${pid}/cwd`)).startsWith(folder)) found.add(pid);
    } catch {
      // It ended meanwhile, or is another user's.
    }
  }
  return found;
}

/** The supervisor's process id, from its data folder. */
export async function supervisorOf(folder: string): Promise<number> {
  const text = await readFile(join(folder, ".data", "runtime.json"), "utf8");
  return (JSON.parse(text) as { pid: number }).pid;
}
