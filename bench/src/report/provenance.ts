// How something was measured: what the results keep, and the documentation says.
import { execFile } from "node:child_process";
import { cpus, totalmem } from "node:os";
import { promisify } from "node:util";
import { findPostgresBinaries } from "@truerun/dev/postgres/postgres-binaries";
import { PROJECT_DIR } from "@truerun/dev/project-paths";
import { UsageError } from "@truerun/shared/command-line";

/** What is missing in it was not yet recorded when it was measured, but for the commit. */
export interface Provenance {
  command: string;
  /** ISO 8601 */
  at: string;
  machine: string;
  /** Of what was measured; missing without git, too. */
  commit?: string;
  /** Of what was measured with it, by name. */
  versions?: Readonly<Record<string, string>>;
}

const exec = promisify(execFile);

/** @param temporalCliPath - null if no Temporal was part of it */
export async function toProvenance(
  command: string,
  temporalCliPath: string | null,
): Promise<Provenance> {
  const processors = cpus();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  const machine = `${processors.length} × ${processors[0]?.model ?? "CPU"}, ${gigabytes} GB, ${process.platform} ${process.arch}, Node ${process.versions.node}`;
  const commit = await describeCommit();
  const versions = await readVersions(temporalCliPath);
  const at = new Date().toISOString();
  return { command, at, machine, versions, ...(commit === null ? {} : { commit }) };
}

/** As the documentation says it. */
export function toLine({ command, at, machine, commit, versions = {} }: Provenance): string {
  const named = Object.entries(versions).map(([name, version]) => `, ${name} ${version}`);
  const version = commit === undefined ? "" : `commit ${commit}, `;
  return `\`${command}\`, ${at.slice(0, 10)}, ${version}${machine}${named.join("")}:`;
}

/**
 * What the documentation shows must be measurable again.
 *
 * @throws UsageError when what is measured is no commit
 */
export async function assertCommitted(): Promise<void> {
  const changed = await listChanged().catch(() => []);
  if (changed.length === 0) return;
  throw new UsageError(
    `--docs measures a commit, which others can measure again. These files differ from it:\n${changed.join("\n")}`,
  );
}

/** Marked `-dirty` when what is measured differs from the commit; null without git. */
async function describeCommit(): Promise<string | null> {
  try {
    const commit = (await git("rev-parse", "--short", "HEAD")).trim();
    return (await listChanged()).length === 0 ? commit : `${commit}-dirty`;
  } catch {
    return null;
  }
}

async function listChanged(): Promise<string[]> {
  // The bench itself writes to these.
  const changed = await git("status", "--porcelain", "--", ":!docs", ":!bench/results");
  return changed.split("\n").filter((line) => line.trim() !== "");
}

async function git(...args: string[]): Promise<string> {
  const { stdout } = await exec("git", args, { cwd: PROJECT_DIR });
  return stdout;
}

async function readVersions(temporalCliPath: string | null): Promise<Record<string, string>> {
  const versions: Record<string, string> = {};
  if (temporalCliPath !== null) {
    // `temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)`
    versions["Temporal server"] = await readVersion(temporalCliPath, /(?<=Server )[\w.-]+/);
  }
  // `postgres (PostgreSQL) 18.4`
  versions["PostgreSQL"] = await readVersion(findPostgresBinaries().postgres, /\d\S*/);
  return versions;
}

async function readVersion(program: string, pattern: RegExp): Promise<string> {
  const { stdout } = await exec(program, ["--version"]);
  return pattern.exec(stdout)?.[0] ?? stdout.trim();
}
