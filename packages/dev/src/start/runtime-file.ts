import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { startMarkOf } from "../processes/orphans.ts";
import { StartError } from "./start-error.ts";

const runtime = z.object({
  pid: z.number(),
  databaseUrl: z.string(),
  temporalAddress: z.string(),
  temporalUiUrl: z.string().nullable(),
  apiUrl: z.string(),
});

/** Where everything of a running `npm start` is. Holds the database's password. */
export type Runtime = z.output<typeof runtime>;

const holder = z.object({ pid: z.number(), startMark: z.string().nullable() });

function runtimeFile(dataDir: string): string {
  return join(dataDir, "runtime.json");
}

/** Replaces the file in one step: whoever reads it sees the old or the new one, never a half. */
export async function writeRuntime(dataDir: string, value: Runtime): Promise<void> {
  const unfinished = `${runtimeFile(dataDir)}.new`;
  await writeFile(unfinished, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  await rename(unfinished, runtimeFile(dataDir));
}

/** What runs on this data folder now, or null. */
export async function readRuntime(dataDir: string): Promise<Runtime | null> {
  const text = await readIfThere(runtimeFile(dataDir));
  if (text === null || !(await isHeld(dataDir))) return null;
  return runtime.parse(JSON.parse(text));
}

/**
 * Makes this process the only supervisor of a data folder.
 *
 * @returns what gives the folder free again
 * @throws StartError when another is running on it; the message says where
 */
export async function holdDataDir(dataDir: string): Promise<() => Promise<void>> {
  const lock = lockFile(dataDir);
  const own = `${lock}.${process.pid}`;
  const startMark = await startMarkOf(process.pid);
  await writeFile(own, JSON.stringify({ pid: process.pid, startMark }), { mode: 0o600 });
  try {
    if (await isHeld(dataDir)) throw await explainHolder(dataDir);
    // What a killed supervisor left says nothing true any more.
    await rm(lock, { force: true });
    await rm(runtimeFile(dataDir), { force: true });
    // Linking fails when another start was quicker, and gives the file its whole content at once.
    await link(own, lock);
  } catch (error) {
    const isTaken = (error as NodeJS.ErrnoException).code === "EEXIST";
    throw isTaken ? await explainHolder(dataDir) : error;
  } finally {
    await rm(own, { force: true });
  }
  return async () => {
    await rm(runtimeFile(dataDir), { force: true });
    await rm(lock, { force: true });
  };
}

async function explainHolder(dataDir: string): Promise<StartError> {
  const running = await readRuntime(dataDir);
  const text = await readIfThere(lockFile(dataDir));
  const pid = text === null ? "unknown" : holder.parse(JSON.parse(text)).pid;
  const where = running === null ? "is starting" : `serves ${running.apiUrl}`;
  return new StartError(
    `Another npm start (process ${pid}) ${where} with the data in ${dataDir}. Stop it, or set DATA_DIR to another folder.`,
  );
}

function lockFile(dataDir: string): string {
  return join(dataDir, "supervisor.lock");
}

/** Whether the process that holds the folder still runs, and is that process. */
async function isHeld(dataDir: string): Promise<boolean> {
  const text = await readIfThere(lockFile(dataDir));
  if (text === null) return false;
  const { pid, startMark } = holder.parse(JSON.parse(text));
  const now = await startMarkOf(pid);
  return now !== null && now === startMark;
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
