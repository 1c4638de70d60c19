import { cp, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PROJECT_DIR } from "./project-paths.ts";

const WORKER = join(PROJECT_DIR, "apps", "worker");

/**
 * Copies the built worker and adds files to its components: a worker serves what it finds there at startup.
 *
 * @param folder - created anew
 * @param files - JavaScript by file name
 * @returns the copy's main file
 */
export async function copyWorker(
  folder: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const part of ["dist", "data", "package.json"]) {
    await cp(join(WORKER, part), join(folder, part), { recursive: true });
  }
  await symlink(join(WORKER, "node_modules"), join(folder, "node_modules"));
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, "dist", "components", name), text);
  }
  return join(folder, "dist", "main.js");
}
