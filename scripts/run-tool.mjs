// Runs the tools of the build as child processes that never outlive this one.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { PROJECT_DIR } from "./project.mjs";

const children = new Set();

/** Ends all running tools. For signal handlers. */
export function endTools() {
  for (const child of children) child.kill("SIGTERM");
}

/**
 * Runs a command to its end, reporting on stderr that it runs and how long it took. Output is shown only on failure.
 *
 * @param {{ title: string, command: string, args: string[], env?: object }} step
 * @throws {ToolError} when it fails
 */
export async function runStep({ title, command, args, env }) {
  const start = performance.now();
  process.stderr.write(`${title} ...\n`);
  const { code, output } = await run({ command, args, env, capture: true });
  if (code !== 0) throw new ToolError(`${title} failed (exit code ${code}):\n${output.trimEnd()}`);
  process.stderr.write(`${title}: ${seconds(start)}\n`);
}

/**
 * @param {{ command: string, args: string[], env?: object, capture: boolean }} options
 * @returns {Promise<{ code: number, output: string }>}
 */
export async function run({ command, args, env, capture }) {
  const child = spawn(command, args, {
    cwd: PROJECT_DIR,
    env: { ...process.env, ...env },
    stdio: ["ignore", capture ? "pipe" : "inherit", capture ? "pipe" : "inherit"],
    shell: process.platform === "win32" && !command.includes("node"),
  });
  children.add(child);
  let output = "";
  child.stdout?.on("data", (chunk) => (output += chunk));
  child.stderr?.on("data", (chunk) => (output += chunk));
  try {
    const code = await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (exitCode) => resolve(exitCode ?? 1));
    });
    return { code, output };
  } catch (error) {
    throw new ToolError(`${command} cannot be run: ${error.message}`);
  } finally {
    children.delete(child);
  }
}

/** A tool failed; the message is for people. */
export class ToolError extends Error {}

/** The script behind a package's command, to be run by this very Node. */
export function binOf(packageName, command = packageName) {
  // Not through `require.resolve`: some packages do not export their manifest.
  const manifest = join(PROJECT_DIR, "node_modules", packageName, "package.json");
  const { bin } = JSON.parse(readFileSync(manifest, "utf8"));
  return join(dirname(manifest), typeof bin === "string" ? bin : bin[command]);
}

/** @param {number} start of `performance.now()` */
export function seconds(start) {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}
