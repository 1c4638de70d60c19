import { mkdir, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Waits until no other process holds the lock file, then holds it. A lock whose process is gone is taken
 * over. `onWait` is called once when there is somebody to wait for.
 */
export async function holdLock(path, onWait) {
  await mkdir(dirname(path), { recursive: true });
  for (let waited = false; ; waited = true) {
    try {
      const file = await open(path, "wx");
      await file.writeFile(String(process.pid));
      await file.close();
      return () => rm(path, { force: true });
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (await isAbandoned(path)) {
      await rm(path, { force: true });
      continue;
    }
    if (!waited) onWait();
    await new Promise((done) => setTimeout(done, 200));
  }
}

async function isAbandoned(path) {
  let pid;
  try {
    pid = Number(await readFile(path, "utf8"));
  } catch (error) {
    if (error.code === "ENOENT") return false;
    throw error;
  }
  // Made but not written yet: its process is at it.
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === "ESRCH";
  }
}
