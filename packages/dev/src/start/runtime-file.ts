import { join } from "node:path";
import { z } from "zod";
import { readIfThere, writePrivateFile } from "../private-file.ts";

const runtime = z.object({
  pid: z.number(),
  databaseUrl: z.string(),
  temporalAddress: z.string(),
  temporalUiUrl: z.string().nullable(),
  apiUrl: z.string(),
});

/** Where to reach the parts of a running `npm start`. Holds the database's password. */
export type Runtime = z.output<typeof runtime>;

/** The file in a data folder that holds a {@link Runtime}; removed by an orderly stop. */
export function runtimeFile(dataDir: string): string {
  return join(dataDir, "runtime.json");
}

export async function writeRuntime(dataDir: string, value: Runtime): Promise<void> {
  await writePrivateFile(runtimeFile(dataDir), `${JSON.stringify(value, null, 2)}\n`);
}

/** What was written last, whether it still runs or was killed; null after an orderly stop. */
export async function readRuntime(dataDir: string): Promise<Runtime | null> {
  const text = await readIfThere(runtimeFile(dataDir));
  return text === null ? null : runtime.parse(JSON.parse(text));
}
