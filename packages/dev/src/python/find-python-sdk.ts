import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { EXAMPLES_DIR } from "../project-paths.ts";
import { firstLine, installPythonPackage } from "./install-python-package.ts";

export interface PythonSdk {
  /** The machine's Python. */
  command: string;
  /** What it needs to find Temporal's SDK. */
  environment: { PYTHONPATH: string };
}

const PYTHONS = ["python3", "python"] as const;
const IS_NEW_ENOUGH = "import sys; assert sys.version_info >= (3, 10), 'Python 3.10 is needed'";

/**
 * The machine's Python, with Temporal's SDK in the version that the example pins; fetched once.
 *
 * @throws an Error that names what was tried
 */
export async function findPythonSdk(options: {
  cacheDir: string;
  progress?: (message: string) => void;
}): Promise<PythonSdk> {
  const command = await findPython();
  const requirements = join(EXAMPLES_DIR, "python-risk-score", "requirements.txt");
  const requirement = (await readFile(requirements, "utf8")).trim();
  const folder = join(options.cacheDir, requirement.replace("==", "-"));
  if (!existsSync(folder)) {
    options.progress?.(`fetching the Python package ${requirement}`);
    await installPythonPackage({ requirement, folder: `${folder}.${process.pid}` });
    await rename(`${folder}.${process.pid}`, folder).catch(() => {
      // Another process was first; what it installed may already be in use.
      if (!existsSync(folder)) throw new Error(`${folder} cannot be made`);
      return rm(`${folder}.${process.pid}`, { recursive: true, force: true });
    });
  }
  return { command, environment: { PYTHONPATH: folder } };
}

async function findPython(): Promise<string> {
  const faults: string[] = [];
  for (const command of PYTHONS) {
    try {
      await promisify(execFile)(command, ["-c", IS_NEW_ENOUGH], { timeout: 20_000 });
      return command;
    } catch (error) {
      faults.push(`${command}: ${firstLine(error)}`);
    }
  }
  throw new Error(`There is no Python that can be used: ${faults.join("; ")}`);
}
