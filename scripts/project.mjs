import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

export const PROJECT_DIR = resolve(fileURLToPath(new URL("..", import.meta.url)));

/** Folders of the workspace's packages, in the order in which they are built. */
export const PACKAGES = [
  "packages/shared",
  "apps/api",
  "apps/worker",
  "packages/dev",
  "chaos",
  "bench/naive",
  "bench",
];

/** @param {string[]} parts */
export function inProject(...parts) {
  return join(PROJECT_DIR, ...parts);
}

/** All files below a folder, sorted, as paths from the project's top folder. */
export function listFiles(folder, accept = () => true) {
  const root = inProject(folder);
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(PROJECT_DIR, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter(accept)
    .sort();
}

/** One hash over names and contents: tells exactly what is current, whatever the clocks say. */
export function hashFiles(paths, more = "") {
  const hash = createHash("sha256").update(more);
  for (const path of paths) {
    hash.update(`\0${path}\0`);
    hash.update(readFileSync(inProject(path)));
  }
  return hash.digest("hex");
}

/** What a stamp says that something was made from; an empty string when there is no stamp. */
export function readStamp(path) {
  const file = inProject(path);
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

export function writeStamp(path, content) {
  writeFileSync(inProject(path), content);
}
