import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's top folder, whether this runs from `src` or from `dist`. */
export const PROJECT_DIR = resolve(fileURLToPath(new URL("../../..", import.meta.url)));

/** `schema.prisma` and the migrations. */
export const PRISMA_DIR = join(PROJECT_DIR, "prisma");

/** Downloads for this machine, which can be fetched again. */
export const TEMPORAL_CACHE_DIR = join(PROJECT_DIR, "node_modules", ".cache", "truerun");

/** The example definitions, one YAML file each. */
export const WORKFLOWS_DIR = join(PROJECT_DIR, "workflows");

/** One file per component activity, with its test. */
export const COMPONENTS_DIR = join(PROJECT_DIR, "apps", "worker", "src", "components");

/** Workers in other languages. */
export const EXAMPLES_DIR = join(PROJECT_DIR, "examples");
