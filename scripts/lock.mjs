// A lock between processes on this machine: a file that names its owner.
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const POLL_MS = 100;

/**
 * Takes the lock, waiting for whoever has it; one whose owner is gone is taken over.
 *
 * @param {{ path: string, mark: string, onWait: (pid: number) => void }} options `mark` is part of an owner's
 *   command line: process ids are reused
 * @returns {Promise<() => void>} releases it
 */
export async function takeLock({ path, mark, onWait }) {
  mkdirSync(dirname(path), { recursive: true });
  const mine = `${process.pid} ${Date.now()}`;
  let said = false;
  for (;;) {
    if (tryToCreate(path, mine)) return () => release(path, mine);
    const seen = read(path);
    if (seen === null) continue;
    const pid = Number(seen.split(" ")[0]);
    if (isRunning(pid, mark)) {
      if (!said) onWait(pid);
      said = true;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    } else {
      removeStale(path, seen);
    }
  }
}

/** Links a file that is already written: nobody sees a lock without its owner. */
function tryToCreate(path, content) {
  const written = `${path}.${process.pid}.new`;
  writeFileSync(written, content);
  try {
    linkSync(written, path);
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    return false;
  } finally {
    rmSync(written, { force: true });
  }
}

function release(path, mine) {
  if (read(path) === mine) rmSync(path, { force: true });
}

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    return null;
  }
}

/** Renames first: of several that find the same stale lock only one gets it, and a fresh one is put back. */
function removeStale(path, seen) {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    return;
  }
  const taken = read(aside);
  rmSync(aside, { force: true });
  if (taken !== null && taken !== seen) tryToCreate(path, taken);
}

function isRunning(pid, mark) {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    const line = execFileSync("ps", ["-ww", "-o", "args=", "-p", String(pid)], {
      encoding: "utf8",
    });
    return line.includes(mark) && !line.includes("<defunct>");
  } catch {
    // `ps` ends with 1 when there is no such process.
    return false;
  }
}
