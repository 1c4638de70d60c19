import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chown, mkdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { pause } from "@truerun/shared/pause";
import pg from "pg";
import { writePrivateFile } from "../private-file.ts";
import { type ManagedProcess, startProcess } from "../processes/managed-process.ts";
import { endRecorded } from "../processes/orphans.ts";
import { findPostgresBinaries, type PostgresBinaries } from "./postgres-binaries.ts";
import { makeFolderFor, runUnprivileged, type Unprivileged } from "./unprivileged.ts";

export interface PostgresOptions {
  /** Folder of the cluster; created if it is missing. */
  dataDir: string;
  port: number;
  logFile: string;
  /** Additional `name=value` settings. */
  settings?: readonly string[];
}

export interface PostgresServer {
  port: number;
  /** PostgreSQL's version, such as 18.4. */
  version: string;
  process: ManagedProcess;
  /** `postgresql://...` of a database in it. */
  url(database: string): string;
  /** Ends sessions, writes everything to disk, ends. */
  stop(): Promise<void>;
}

const USER = "truerun";
const START_TIMEOUT_MS = 30_000;

/**
 * Starts the PostgreSQL that npm installed, on the loopback address only, with a password. A server that
 * an earlier start left running on the same folder is ended first.
 *
 * @throws when there is none for this platform, or it does not come up; the message has the end of its log
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const dataDir = resolve(options.dataDir);
  const binaries = findPostgresBinaries();
  const user = await runUnprivileged();
  await mkdir(dirname(dataDir), { recursive: true });
  await endLeftOverPostgres(dataDir);
  if (!existsSync(join(dataDir, "PG_VERSION"))) await initialize(binaries, user, dataDir);
  const password = await readFile(passwordFile(dataDir), "utf8");
  const url = (database: string): string =>
    `postgresql://${USER}:${password}@127.0.0.1:${options.port}/${database}`;

  const settings = [
    "listen_addresses=127.0.0.1",
    `port=${options.port}`,
    // A socket's path may have only 107 bytes, which a deep folder exceeds; TCP is enough.
    "unix_socket_directories=",
    "max_connections=200",
    ...(options.settings ?? []),
  ];
  const args = ["-D", dataDir, ...settings.flatMap((setting) => ["-c", setting])];
  const [command = binaries.postgres, ...rest] = [...user.prefix, binaries.postgres, ...args];
  const server = await startProcess({
    command,
    args: rest,
    logFile: options.logFile,
    // The server refuses a working directory that its user may not enter, which this process' may be.
    cwd: "/",
    ...ids(user),
  });
  const version = await waitUntilReady(server, url("postgres"));
  return {
    port: options.port,
    version,
    process: server,
    url,
    // SIGINT is Postgres' fast shutdown: it ends sessions instead of waiting for them.
    stop: () => server.stop("SIGINT", 15_000),
  };
}

function ids({ uid, gid }: Unprivileged): { uid?: number; gid?: number } {
  return uid === undefined || gid === undefined ? {} : { uid, gid };
}

function passwordFile(dataDir: string): string {
  return `${dataDir}.password`;
}

/** Creates the cluster beside its place and renames it, so that an interrupted start leaves no partial one. */
async function initialize(
  { initdb }: PostgresBinaries,
  user: Unprivileged,
  dataDir: string,
): Promise<void> {
  const unfinished = `${dataDir}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await rm(dataDir, { recursive: true, force: true });
  await makeFolderFor(user, unfinished);
  const secret = passwordFile(dataDir);
  await writePrivateFile(secret, randomBytes(24).toString("hex"));
  if (user.uid !== undefined && user.gid !== undefined) await chown(secret, user.uid, user.gid);
  const args = [
    "-D",
    unfinished,
    "-U",
    USER,
    "--auth=scram-sha-256",
    `--pwfile=${secret}`,
    // Ids and names are compared by bytes; the system's locales differ from machine to machine.
    "--encoding=UTF8",
    "--locale=C",
    "--no-sync",
  ];
  const [command = initdb, ...rest] = [...user.prefix, initdb, ...args];
  try {
    await promisify(execFile)(command, rest, { cwd: "/", ...ids(user) });
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    const hint =
      user.uid === undefined
        ? ""
        : ` PostgreSQL does not run as root, and its files are not reachable for an ordinary user. Run this as an ordinary user, or set DATABASE_URL.`;
    throw new Error(
      `PostgreSQL cannot make its files in ${dataDir}:${hint}\n${stderr ?? String(error)}`,
    );
  }
  await rename(unfinished, dataDir);
}

/**
 * Ends a server that an earlier start left running on this folder, and removes its lock, even if the
 * lock's process id now belongs to another program.
 */
export async function endLeftOverPostgres(dataDir: string): Promise<void> {
  const folder = resolve(dataDir);
  const pidFile = join(folder, "postmaster.pid");
  await endRecorded({ pidFile, mark: folder, signal: "SIGINT" });
}

/** @returns the server's version */
async function waitUntilReady(server: ManagedProcess, url: string): Promise<string> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  let ended = false;
  void server.exited.then(() => {
    ended = true;
  });
  for (;;) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    try {
      await client.connect();
      const { rows } = await client.query<{ server_version: string }>("SHOW server_version");
      await client.end();
      return rows[0]?.server_version ?? "";
    } catch (error) {
      if (ended) throw new Error(`PostgreSQL ended while starting:\n${server.tail()}`);
      if (Date.now() > deadline) {
        await server.stop("SIGKILL", 0);
        throw new Error(`PostgreSQL does not answer (${String(error)}):\n${server.tail()}`);
      }
      await pause(30);
    }
  }
}
