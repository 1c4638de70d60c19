import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join, relative } from "node:path";

const PACKAGES = ["apps/api", "apps/worker", "packages/dev", "packages/shared"];
/** Made by the build, but not from a source file of the same name. */
const BUNDLE = "workflow-bundle.js";

/** One text that changes when one of the files, or one of the other texts, does. */
export async function fingerprint(root, files, texts = []) {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(`${text}\0`);
  for (const file of files) hash.update(`${file}\0`).update(await readFile(join(root, file)));
  return hash.digest("hex");
}

/** The compiled modules, as sorted paths from `root`, and when the newest was written. */
export async function findOutputs(root, packages = PACKAGES) {
  const files = [];
  for (const each of packages) {
    const dist = join(root, each, "dist");
    if (!existsSync(dist)) continue;
    for (const entry of await readdir(dist, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith(".js") || entry.name === BUNDLE) continue;
      files.push(relative(root, join(entry.parentPath ?? entry.path, entry.name)));
    }
  }
  files.sort();
  const times = await Promise.all(
    files.map(async (file) => (await stat(join(root, file))).mtimeMs),
  );
  return { files, newest: Math.max(0, ...times) };
}

/**
 * Removes what was compiled from files that are gone. The compiler leaves it, and a worker would load a
 * component that was deleted.
 */
export async function removeStaleOutputs(root) {
  const { files } = await findOutputs(root);
  for (const file of files) {
    const stem = file.replace(/\.js$/, "");
    if (existsSync(join(root, `${stem.replace("/dist/", "/src/")}.ts`))) continue;
    for (const suffix of [".js", ".js.map", ".d.ts"]) {
      await rm(join(root, stem + suffix), { force: true });
    }
  }
}
