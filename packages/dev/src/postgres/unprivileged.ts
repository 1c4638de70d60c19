import { execFile } from "node:child_process";
import { chown, mkdir } from "node:fs/promises";
import { promisify } from "node:util";

/** How to start a program that refuses to run as root. */
export interface Unprivileged {
  /** What precedes the command. */
  prefix: readonly string[];
  uid?: number;
  gid?: number;
}

/** The id of `nobody` on Linux and the BSDs. */
const NOBODY = 65_534;

/**
 * PostgreSQL refuses to run as root. An ordinary user needs nothing special. For root, a user namespace is
 * best: the server believes it is another user, and can still enter a folder that only root may enter.
 * Where namespaces are not allowed, it runs as `nobody`, who must be able to enter the data folder.
 */
export async function runUnprivileged(): Promise<Unprivileged> {
  if (process.getuid?.() !== 0) return { prefix: [] };
  const prefix = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--"];
  try {
    await promisify(execFile)("unshare", [...prefix.slice(1), "true"]);
    return { prefix };
  } catch {
    return { prefix: [], uid: NOBODY, gid: NOBODY };
  }
}

/** Creates a folder that the server may write to. */
export async function makeFolderFor({ uid, gid }: Unprivileged, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (uid !== undefined && gid !== undefined) await chown(folder, uid, gid);
}
