import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";

export interface PythonPackage {
  /** As pip accepts it: `name==version`. */
  requirement: string;
  /** Receives the package and its dependencies; its commands are in `bin/`. */
  folder: string;
  signal?: AbortSignal | undefined;
}

/** How pip is called on different machines. */
const PIPS = [["python3", "-m", "pip"], ["pip3"], ["python", "-m", "pip"]] as const;

/**
 * Installs a Python package into a folder of its own, using the machine's pip as configured. The folder is
 * renamed into place at the end, so that an interrupted install leaves nothing that looks complete.
 *
 * @throws an Error that names each pip tried and what it said
 */
export async function installPythonPackage({
  requirement,
  folder,
  signal,
}: PythonPackage): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const unfinished = await mkdtemp(`${folder}.unfinished-`);
  const faults: string[] = [];
  try {
    for (const [command, ...args] of PIPS) {
      const install = [...args, "install", "--quiet", "--target", unfinished, requirement];
      try {
        await promisify(execFile)(command, install, {
          timeout: 300_000,
          maxBuffer: 16 * 1024 * 1024,
          ...(signal === undefined ? {} : { signal }),
        });
        await rm(folder, { recursive: true, force: true });
        await rename(unfinished, folder);
        return;
      } catch (error) {
        faults.push(`${[command, ...args].join(" ")}: ${firstLine(error)}`);
      }
    }
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  throw new Error(`the Python package ${requirement}: ${faults.join("; ")}`);
}

/** The most telling line of a failed command's output. */
export function firstLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message?: string };
  const lines = `${stderr ?? ""}\n${message ?? String(error)}`.split("\n");
  const telling =
    lines.find((line) => /error/i.test(line)) ?? lines.find((line) => line.trim() !== "");
  return (telling ?? "").trim().slice(0, 300);
}
