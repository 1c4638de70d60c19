import { randomUUID } from "node:crypto";
import { link, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Makes a file whole or not at all, and never changes one that is there: of several attempts, one
 * perhaps a zombie, the first one's file stays.
 *
 * @param to - `file` is a name without a path; the folder is made when it is missing
 */
export async function writeOnce(to: {
  folder: string;
  file: string;
  content: string | Uint8Array;
}): Promise<void> {
  await mkdir(to.folder, { recursive: true });
  const temporary = join(to.folder, `.${to.file}.${randomUUID()}`);
  try {
    await writeFile(temporary, to.content, { flag: "wx", flush: true });
    // Unlike rename, link refuses a name that is taken.
    await link(temporary, join(to.folder, to.file));
  } catch (error) {
    const isTaken = error instanceof Error && "code" in error && error.code === "EEXIST";
    if (!isTaken) throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}
