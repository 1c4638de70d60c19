// Makes the checkout ready to run, redoing only what is out of date. Each step leaves a stamp, written after it
// succeeded: a hash of what its result was made from.
import { existsSync, rmSync } from "node:fs";
import { hashFiles, inProject, listFiles, PACKAGES, readStamp, writeStamp } from "./project.mjs";
import { binOf, runStep } from "./run-tool.mjs";

const PNPM = "pnpm@10.34.9";
const INSTALL_STAMP = "node_modules/.truerun-install";
/** Each Prisma schema with the folder of its generated client: the service's, and that of the bench's naive. */
const CLIENTS = [
  { schema: "prisma/schema.prisma", folder: "packages/shared/src/generated/prisma" },
  { schema: "bench/naive/prisma/schema.prisma", folder: "bench/naive/src/generated/prisma" },
];
const BUNDLE = "apps/worker/dist/workflow-bundle.js";

/** @param {{ bundle: boolean }} wanted `bundle`: also the bundle that workers run in Temporal's sandbox */
export async function prepare({ bundle }) {
  await install();
  await Promise.all(CLIENTS.map(generateClient));
  await compile();
  if (bundle) await bundleWorkflows();
}

async function install() {
  const manifests = PACKAGES.map((folder) => `${folder}/package.json`);
  const made = hashFiles(
    ["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", ...manifests],
    `${process.version} ${process.platform} ${process.arch}`,
  );
  if (readStamp(INSTALL_STAMP) === made) return;
  await runStep({
    title: "Installing packages",
    command: "npx",
    // Development packages too, whatever NODE_ENV says: the build needs them.
    args: ["--yes", PNPM, "install", "--frozen-lockfile", "--prod=false"],
    // pnpm asks before it replaces a folder that it did not make, and fails without a terminal; CI means yes.
    env: { CI: "true" },
  });
  writeStamp(INSTALL_STAMP, made);
}

async function generateClient({ schema, folder }) {
  const stamp = `${folder}/.stamp`;
  const made = hashFiles([schema], readStamp(INSTALL_STAMP));
  if (readStamp(stamp) === made) return;
  rmSync(inProject(folder), { recursive: true, force: true });
  await runStep({
    title: `Generating the database client of ${schema}`,
    command: process.execPath,
    args: [binOf("prisma"), "generate", "--schema", schema],
    // The generator asks for a schema engine that it does not use; any file will do.
    env: { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: "1" },
  });
  writeStamp(stamp, made);
}

async function compile() {
  const states = PACKAGES.map((folder) => {
    const sources = listFiles(`${folder}/src`, (path) => path.endsWith(".ts"));
    const configs = [`${folder}/tsconfig.build.json`, `${folder}/package.json`];
    return {
      dist: `${folder}/dist`,
      list: hashFiles(["tsconfig.base.json", ...configs], sources.join("\n")),
      content: hashFiles(sources, readStamp(INSTALL_STAMP)),
    };
  });
  const stale = states.filter(({ dist, list, content }) => {
    const [madeOfList, madeOfContent] = readStamp(`${dist}/.stamp`).split(" ");
    // The output of a deleted source must not stay: components are found by scanning a folder.
    if (madeOfList !== list) rmSync(inProject(dist), { recursive: true, force: true });
    return madeOfList !== list || madeOfContent !== content;
  });
  if (stale.length === 0) return;
  for (const { dist } of stale) rmSync(inProject(dist, ".stamp"), { force: true });
  await runStep({
    title: "Compiling",
    command: process.execPath,
    args: [binOf("typescript", "tsc"), "-b", "tsconfig.build.json", "--pretty", "false"],
  });
  for (const { dist, list, content } of stale) writeStamp(`${dist}/.stamp`, `${list} ${content}`);
}

async function bundleWorkflows() {
  const stamp = `${BUNDLE}.stamp`;
  const isInput = (path) => path.endsWith(".js") && path !== BUNDLE;
  const inputs = [
    ...listFiles("packages/shared/dist", (path) => isInput(path) && !path.includes("/generated/")),
    ...listFiles("apps/worker/dist", isInput),
  ];
  const made = hashFiles(inputs, readStamp(INSTALL_STAMP));
  if (readStamp(stamp) === made && existsSync(inProject(BUNDLE))) return;
  await runStep({
    title: "Bundling the workflows",
    command: process.execPath,
    args: [inProject("apps/worker/dist/build-workflow-bundle.js")],
  });
  writeStamp(stamp, made);
}
