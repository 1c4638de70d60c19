import { randomUUID } from "node:crypto";
import { link, mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pause } from "@truerun/shared/pause";
import { z } from "zod";
import { readIfThere, writePrivateFile } from "../private-file.ts";
import { startMarkOf } from "../processes/orphans.ts";
import { readRuntime, runtimeFile } from "./runtime-file.ts";
import { StartError } from "./start-error.ts";

/** Two supervisors on one data folder would end each other's servers, so only the folder's owner starts any. */
export interface Claim {
  /** From now on another start waits for the folder instead of being refused. */
  markStopping(): Promise<void>;
  release(): Promise<void>;
}

/** Process ids are reused, so an owner is identified by its start time as well. */
const owner = z.object({
  pid: z.number(),
  startMark: z.string().nullable(),
  isStopping: z.boolean(),
});
type Owner = z.output<typeof owner>;

/** A supervisor whose npm was killed needs a moment to notice that, and to say that it is stopping. */
const REFUSE_AFTER_MS = 1_500;
/** Draining takes 20 s by default, and Postgres and Temporal end after that. */
const WAIT_FOR_STOPPING_MS = 60_000;

/** Far longer than taking over a claim takes. */
const TURN_MS = 10_000;

/**
 * Creates the folder and claims it. The claim of a process that is gone is taken over; one that is
 * stopping is waited for.
 *
 * @throws StartError when another start runs on it; the message says where
 */
export async function claimDataDir(
  dataDir: string,
  options: { say: (message: string) => void; signal: AbortSignal },
): Promise<Claim> {
  await mkdir(dataDir, { recursive: true });
  const path = join(dataDir, "supervisor.lock");
  const own: Owner = {
    pid: process.pid,
    startMark: await startMarkOf(process.pid),
    isStopping: false,
  };
  const start = Date.now();
  for (let hasWaited = false; !(await tryToCreate(path, JSON.stringify(own))); ) {
    options.signal.throwIfAborted();
    const seen = await readIfThere(path);
    if (seen === null) continue;
    const other = await findLiving(seen);
    if (other === null) {
      await removeStale(path, seen);
      continue;
    }
    const patienceMs = other.isStopping ? WAIT_FOR_STOPPING_MS : REFUSE_AFTER_MS;
    if (Date.now() - start > patienceMs) throw await refusal(dataDir, other.pid);
    if (other.isStopping && !hasWaited) {
      options.say(`Waiting for process ${other.pid}, which is stopping`);
      hasWaited = true;
    }
    await pause(100);
  }
  // What a killed supervisor left there is no longer true.
  await rm(runtimeFile(dataDir), { force: true });
  return {
    markStopping: () => writePrivateFile(path, JSON.stringify({ ...own, isStopping: true })),
    async release() {
      await rm(runtimeFile(dataDir), { force: true });
      await rm(path, { force: true });
    },
  };
}

async function refusal(dataDir: string, pid: number): Promise<StartError> {
  const running = await readRuntime(dataDir);
  const where =
    running?.pid === pid ? `serves ${running.apiUrl}` : "is not ready yet or is stopping";
  return new StartError(
    `It runs already: process ${pid} ${where}, with the data in ${dataDir}. Stop it, or set DATA_DIR to another folder.`,
  );
}

/** Links a file that is already written, so that nobody sees a claim without its owner. */
async function tryToCreate(path: string, content: string): Promise<boolean> {
  const written = `${path}.${randomUUID()}`;
  await writeFile(written, content, { mode: 0o600 });
  try {
    await link(written, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(written, { force: true });
  }
}

/**
 * Only one process at a time removes a stale claim, and only the very one that it saw: another process may
 * have removed that one, and a fresh claim may have taken its place.
 */
async function removeStale(path: string, seen: string): Promise<void> {
  const turn = `${path}.takeover`;
  if (!(await tryToCreate(turn, String(process.pid)))) {
    await removeIfOld(turn);
    await pause(20);
    return;
  }
  try {
    // Nobody else removes it meanwhile, and while it exists nobody creates another.
    if ((await readIfThere(path)) === seen) await rm(path);
  } finally {
    await rm(turn, { force: true });
  }
}

/** For a process that was killed during its turn, which takes only a millisecond. */
async function removeIfOld(turn: string): Promise<void> {
  const found = await stat(turn).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (found !== null && Date.now() - found.mtimeMs > TURN_MS) await rm(turn, { force: true });
}

/** Null when that process is gone, or a crash of the machine left the file empty. */
async function findLiving(text: string): Promise<Owner | null> {
  if (text.trim() === "") return null;
  const said = owner.parse(JSON.parse(text));
  const startMark = await startMarkOf(said.pid);
  return startMark !== null && startMark === said.startMark ? said : null;
}
