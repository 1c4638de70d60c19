import { execFile } from "node:child_process";
import { cp, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROJECT_DIR } from "../project-paths.ts";
import { createComponent } from "./create-component.ts";

/** A short one, a word that JavaScript reserves, and the longest possible: lines must not get too long. */
const ACTIONS = ["x", "delete", `a${"_bc".repeat(19)}_d`];

let project: string;
let files: string[];

/** The project's settings and the worker's sources, linked to the packages of this checkout. */
beforeAll(async () => {
  project = await realpath(await mkdtemp(join(tmpdir(), "component-template-")));
  const settings = ["package.json", "tsconfig.base.json", "biome.json", ".oxlintrc.json"];
  for (const file of [...settings, ".gitignore", "vitest.config.ts"]) {
    await cp(join(PROJECT_DIR, file), join(project, file));
  }
  const skipped = new Set(["node_modules", "dist"]);
  await cp(join(PROJECT_DIR, "apps/worker"), join(project, "apps/worker"), {
    recursive: true,
    filter: (path) => !skipped.has(basename(path)),
  });
  for (const folder of ["node_modules", "apps/worker/node_modules"]) {
    await symlink(join(PROJECT_DIR, folder), join(project, folder));
  }
  const components = join(project, "apps/worker/src/components");
  const written = await Promise.all(ACTIONS.map((action) => createComponent(components, [action])));
  files = written.flat().map((path) => relative(project, path));
  const tsconfig = {
    extends: "./tsconfig.base.json",
    compilerOptions: { noEmit: true, customConditions: ["source"] },
    include: files,
  };
  await writeFile(join(project, "tsconfig.json"), JSON.stringify(tsconfig));
});
afterAll(() => rm(project, { recursive: true, force: true }));

/** Runs one of the project's tools there. A failure's message contains its output. */
async function run(tool: string, args: string[]): Promise<void> {
  // What vitest tells its own workers must not reach another vitest.
  const environment = Object.entries(process.env).filter(
    ([name]) => !/^VITEST|^NODE_ENV$/.test(name),
  );
  await promisify(execFile)(join(project, "node_modules", ".bin", tool), args, {
    cwd: project,
    env: Object.fromEntries(environment),
  }).catch((error: unknown) => {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${tool} failed:\n${stdout}${stderr}`, { cause: error });
  });
}

describe("a new component, as it stands,", () => {
  it("is formatted", () => run("biome", ["format", ...files]));
  it("passes the lint", () => run("oxlint", ["--type-aware", "--deny-warnings", ...files]));
  it("has right types", () => run("tsc", ["--noEmit"]));
  it("passes its test, and is found beside the others", async () => {
    const loading = "apps/worker/src/load-components.test.ts";
    const tests = files.filter((file) => file.endsWith(".test.ts"));
    expect(tests).toHaveLength(ACTIONS.length);
    await run("vitest", ["run", "--project", "unit", ...tests, loading]);
  });
});
