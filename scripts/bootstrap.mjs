// Runs one of the project's commands on a machine that has only Node and npm: installs, generates and
// builds what is missing or out of date, then becomes the command. Uses nothing that is not built in.
// Progress goes to stderr, and only when there is something to do: stdout belongs to the command.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { constants } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { holdLock } from "./lock.mjs";
import { findOutputs, fingerprint, removeStaleOutputs } from "./outputs.mjs";

const ROOT = resolve(fileURLToPath(import.meta.url), "../..");
const STAMPS = join(ROOT, "node_modules", ".cache", "truerun");
const PNPM = "pnpm@10.34.9";
const MIN_NODE = [20, 19];

/** What each command is once everything is built. */
const COMMANDS = {
  start: "packages/dev/dist/start/start.js",
  key: "packages/dev/dist/key/key.js",
  seed: "packages/dev/dist/seed/seed.js",
  test: "packages/dev/dist/checks/run-checks.js",
  api: "apps/api/dist/main.js",
  worker: "apps/worker/dist/main.js",
  build: null,
};

class BootstrapError extends Error {}

async function main() {
  const [name = "", ...args] = process.argv.slice(2);
  if (!Object.hasOwn(COMMANDS, name)) {
    throw new BootstrapError(`Say which command: ${Object.keys(COMMANDS).join(", ")}`);
  }
  requireNode();
  await prepare();
  const entry = COMMANDS[name];
  if (entry === null) return;
  // In this very process, so that signals and the exit code are the command's own.
  const path = join(ROOT, entry);
  process.argv = [process.execPath, path, ...args];
  await import(pathToFileURL(path).href);
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const [minMajor, minMinor] = MIN_NODE;
  if (major > minMajor || (major === minMajor && minor >= minMinor)) return;
  throw new BootstrapError(
    `Node ${MIN_NODE.join(".")} or newer is needed; this is ${process.versions.node}.`,
  );
}

/** Two commands started at once (`npm run api`, `npm run worker`) take turns. */
async function prepare() {
  const release = await holdLock(join(ROOT, ".cache", "bootstrap.lock"), () =>
    process.stderr.write("Waiting for another command that builds\n"),
  );
  try {
    await install();
    await generate();
    await build();
    await bundle();
  } finally {
    await release();
  }
}

async function install() {
  const stamp = await fingerprint(
    ROOT,
    ["pnpm-lock.yaml", "pnpm-workspace.yaml"],
    [process.version, process.platform, process.arch],
  );
  if (existsSync(join(ROOT, "node_modules/.modules.yaml")) && (await isCurrent("install", stamp))) {
    return;
  }
  await step("Installing dependencies", "npx", [
    ...["--yes", PNPM, "install", "--frozen-lockfile"],
    // The build needs the development dependencies, whatever NODE_ENV says.
    "--prod=false",
  ]);
  await writeStamp("install", stamp);
}

async function generate() {
  const output = join(ROOT, "packages/shared/src/generated/prisma/client.ts");
  const stamp = await fingerprint(ROOT, ["prisma/schema.prisma", "pnpm-lock.yaml"]);
  if (existsSync(output) && (await isCurrent("generate", stamp))) return;
  // The generator asks for a schema engine that it does not use: any file that exists will do.
  const env = { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath };
  await step("Generating the database client", ...bin("prisma/build/index.js", "generate"), env);
  await writeStamp("generate", stamp);
}

/** The compiler itself knows what is out of date, and is quick about it. */
async function build() {
  const started = Date.now();
  const before = await findOutputs(ROOT);
  await run(...bin("typescript/bin/tsc", "-b", "tsconfig.build.json"));
  await removeStaleOutputs(ROOT);
  if ((await findOutputs(ROOT)).newest !== before.newest) say("Building", started);
}

async function bundle() {
  const script = "apps/worker/dist/build-workflow-bundle.js";
  if (!existsSync(join(ROOT, script))) return;
  const { files } = await findOutputs(ROOT, ["apps/worker", "packages/shared"]);
  const stamp = await fingerprint(ROOT, [...files, "pnpm-lock.yaml"]);
  const output = join(ROOT, "apps/worker/dist/workflow-bundle.js");
  if (existsSync(output) && (await isCurrent("bundle", stamp))) return;
  await step("Bundling workflows", process.execPath, [script]);
  await writeStamp("bundle", stamp);
}

async function isCurrent(what, stamp) {
  const path = join(STAMPS, `${what}.stamp`);
  return existsSync(path) && (await readFile(path, "utf8")) === stamp;
}

async function writeStamp(what, stamp) {
  await mkdir(STAMPS, { recursive: true });
  await writeFile(join(STAMPS, `${what}.stamp`), stamp);
}

function bin(script, ...args) {
  return [process.execPath, [join("node_modules", script), ...args]];
}

async function step(title, command, args, env) {
  const started = Date.now();
  if (process.stderr.isTTY) process.stderr.write(`${title} ...\r`);
  await run(command, args, env);
  say(title, started);
}

function say(title, started) {
  process.stderr.write(`${title} ... ${((Date.now() - started) / 1_000).toFixed(1)} s\n`);
}

/** Says nothing when it works, and everything when it does not. */
async function run(command, args, env = {}) {
  const child = spawn(command, args, {
    cwd: ROOT,
    env: { ...process.env, ...env, CI: "true" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const forward = (signal) => child.kill(signal);
  process.on("SIGINT", forward).on("SIGTERM", forward);
  const chunks = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => chunks.push(chunk));
  const { code, signal, error } = await new Promise((done) => {
    child.on("error", (fault) => done({ error: fault }));
    child.on("close", (exitCode, exitSignal) => done({ code: exitCode, signal: exitSignal }));
  });
  process.off("SIGINT", forward).off("SIGTERM", forward);
  if (code === 0) return;
  if (signal) process.exit(128 + constants.signals[signal]);
  const why = error ? error.message : `it ended with ${code}`;
  const output = Buffer.concat(chunks).toString().trim();
  throw new BootstrapError(`${[command, ...args].join(" ")}: ${why}\n${output}`);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof BootstrapError)) throw error;
  process.stderr.write(`${error.message}\n`);
  // The last line of the test command counts tests, also when none could run.
  if (process.argv[2] === "test") process.stdout.write("0 passed, 1 failed\n");
  process.exitCode = 1;
}
