// What most npm scripts go through: `node scripts/bootstrap.mjs <command> [arguments]`. Plain JavaScript
// without dependencies, because it installs and compiles everything else.
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { takeLock } from "./lock.mjs";
import { inProject } from "./project.mjs";

/** `main` runs in this process: a signal from the terminal reaches the service itself. */
const COMMANDS = {
  start: { main: "packages/dev/dist/start-main.js", bundle: true },
  api: { main: "apps/api/dist/main.js", bundle: false, service: true },
  worker: { main: "apps/worker/dist/main.js", bundle: true, service: true },
  key: { main: "packages/dev/dist/key-main.js", bundle: false },
  audit: { main: "packages/dev/dist/audit-main.js", bundle: true },
  seed: { main: "packages/dev/dist/seed-main.js", bundle: false },
  // The bundle is for the next step: tests under a real worker.
  "new:component": { main: "packages/dev/dist/new-component-main.js", bundle: true },
  "example:python-worker": {
    main: "packages/dev/dist/example-python-worker-main.js",
    bundle: false,
  },
  "bench:load": { main: "bench/dist/load-main.js", bundle: false },
  "bench:reads": { main: "bench/dist/reads-main.js", bundle: false },
  chaos: { main: "chaos/dist/chaos-main.js", bundle: true },
  bench: { main: "bench/dist/bench-main.js", bundle: true },
  test: { main: "scripts/checks.mjs", bundle: true },
  build: { bundle: true },
};

assertNode();
const [name = "", ...rest] = process.argv.slice(2);
const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
if (command === undefined) {
  fail(`Usage: node scripts/bootstrap.mjs <${Object.keys(COMMANDS).join("|")}> [arguments]`);
}
if (!isBuiltForProduction(command)) await prepareAlone(command);
if (command.main !== undefined) {
  const main = inProject(command.main);
  process.argv = [process.execPath, main, ...rest];
  await import(pathToFileURL(main).href);
}

function assertNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  fail(`Node 20.19 or newer is needed; this is ${process.versions.node} (${process.execPath}).`);
}

/** A deployed service is already built: it has no tools to build with, and must not change itself. */
function isBuiltForProduction({ service, main }) {
  if (service !== true || !existsSync(inProject(main))) return false;
  return process.env.NODE_ENV === "production" || !existsSync(inProject("node_modules/typescript"));
}

/** Only one process builds at a time: `npm run api` and `npm run worker` may be started together. */
async function prepareAlone({ bundle }) {
  const { prepare } = await import("./prepare.mjs");
  const { endTools, ToolError } = await import("./run-tool.mjs");
  const release = await takeLock({
    path: inProject(".cache/bootstrap.lock"),
    mark: "bootstrap.mjs",
    onWait: (pid) => process.stderr.write(`Waiting for the build of process ${pid} ...\n`),
  });
  const interrupt = () => {
    endTools();
    release();
    // Being stopped is no failure of `npm start`; a check that was stopped did not pass.
    process.exit(name === "start" ? 0 : 130);
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  try {
    await prepare({ bundle });
  } catch (error) {
    release();
    if (error instanceof ToolError) fail(error.message);
    throw error;
  } finally {
    release();
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  // The last line of the test command counts tests, even when none could run.
  if (process.argv[2] === "test") process.stdout.write("0 passed, 1 failed\n");
  process.exit(1);
}
