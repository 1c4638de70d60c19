import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const runtime = z.object({
  pid: z.number(),
  databaseUrl: z.string(),
  temporalAddress: z.string(),
  temporalUiUrl: z.string().nullable(),
  apiUrl: z.string(),
});

/** Where everything of a running `npm start` is. Holds the database's password. */
export type Runtime = z.output<typeof runtime>;

/** The file of a data folder that holds a {@link Runtime}; gone when nothing runs. */
export function runtimeFile(dataDir: string): string {
  return join(dataDir, "runtime.json");
}

export async function writeRuntime(dataDir: string, value: Runtime): Promise<void> {
  await writePrivateFile(runtimeFile(dataDir), `${JSON.stringify(value, null, 2)}\n`);
}

/** What was written last, whether it still runs or was killed; null when it ended in order. */
export async function readRuntime(dataDir: string): Promise<Runtime | null> {
  const text = await readIfThere(runtimeFile(dataDir));
  return text === null ? null : runtime.parse(JSON.parse(text));
}

/** Replaces a file in one step, for its owner's eyes: a reader sees the old or the new, never a half. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const unfinished = `${path}.${process.pid}.new`;
  await writeFile(unfinished, text, { mode: 0o600 });
  await rename(unfinished, path);
}

/** The file's text, or null when there is no such file. */
export async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
