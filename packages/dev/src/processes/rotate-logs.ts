import { readdir, rename, stat } from "node:fs/promises";
import { join } from "node:path";

const MAX_BYTES = 20 * 1024 * 1024;

/** Moves aside logs that have grown large, each replacing the one moved aside before. */
export async function rotateLogs(folder: string): Promise<void> {
  for (const file of await readdir(folder)) {
    const path = join(folder, file);
    if (file.endsWith(".log") && (await stat(path)).size > MAX_BYTES) {
      await rename(path, `${path}.1`);
    }
  }
}
