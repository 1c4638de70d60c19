// What every deployment is built from. Each has servers of its own, so that nothing one leaves behind slows
// another.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { startPostgres } from "@truerun/dev/postgres/start-postgres";
import { type ManagedProcess, startProcess } from "@truerun/dev/processes/managed-process";
import { findFreePort } from "@truerun/dev/processes/ports";
import { processTree, signalAll } from "@truerun/dev/processes/process-tree";
import { untilReady } from "@truerun/dev/processes/until-ready";
import { startTemporal } from "@truerun/dev/temporal/start-temporal";
import type { Part, PartKind } from "./system.ts";

/** What all deployments of a bench share. */
export interface Bench {
  dataDir: string;
  temporalCliPath: string;
  /** Files of the prebuilt workflow bundles, by system. */
  bundles: { raw: string; naive: string };
  /** The one variable that is needed to find programs. */
  path: string | undefined;
}

/** A bench that needs no Temporal leaves the path of its CLI out. */
type PartsOf = Pick<Bench, "dataDir" | "path"> & Partial<Pick<Bench, "temporalCliPath">>;

/** Starts processes for one deployment, and ends all of them together. */
export interface Parts {
  list: Part[];
  /** `postgresql://...` of an empty database. */
  postgres(): Promise<string>;
  /** `host:port` */
  temporal(options?: { isTuned: boolean }): Promise<string>;
  /** Starts a Node program, and waits until it says that it is ready. */
  node(spec: NodeSpec): Promise<void>;
  /** Kills all parts of one kind for good. */
  end(kind: PartKind): Promise<void>;
  stop(): Promise<void>;
}

export interface NodeSpec {
  kind: PartKind;
  main: string;
  env: NodeJS.ProcessEnv;
  args?: readonly string[];
  /** Tells it apart from others of its kind. */
  label?: string;
}

export async function createParts(bench: PartsOf, name: string): Promise<Parts> {
  const folder = join(bench.dataDir, name);
  await mkdir(folder, { recursive: true });
  const processes = new Map<number, ManagedProcess>();
  const list: Part[] = [];
  const keep = (kind: PartKind, process: ManagedProcess): void => {
    processes.set(process.pid, process);
    list.push({ kind, pid: process.pid });
  };
  const kill = async (ending: readonly Part[]): Promise<void> => {
    // Everything is thrown away, so nothing has to end in order. SIGKILL reaches held processes too.
    for (const { pid } of ending) signalAll(await processTree(pid), "SIGKILL");
    for (const { pid } of ending) await processes.get(pid)?.exited;
  };
  return {
    list,
    async postgres() {
      const logFile = join(folder, "postgres.log");
      const port = await findFreePort();
      const server = await startPostgres({ dataDir: join(folder, "postgres"), port, logFile });
      keep("Postgres", server.process);
      return server.url("bench");
    },
    async temporal({ isTuned } = { isTuned: true }) {
      const { temporalCliPath: cliPath } = bench;
      if (cliPath === undefined) throw new Error(`The bench of ${name} has no Temporal`);
      const server = await startTemporal({
        cliPath,
        dbFile: join(folder, "temporal.db"),
        isTuned,
        port: await findFreePort(),
        uiPort: null,
        namespace: "default",
        logFile: join(folder, "temporal.log"),
      });
      keep("Temporal", server.process);
      return server.address;
    },
    async node(spec) {
      const started = await startNode(bench, folder, spec);
      keep(spec.kind, started);
      await awaitReady(started, `The ${spec.kind} of ${name}`);
    },
    async end(kind) {
      await kill(list.filter((part) => part.kind === kind));
      list.splice(0, list.length, ...list.filter((part) => part.kind !== kind));
    },
    stop: () => kill(list),
  };
}

async function startNode(bench: PartsOf, folder: string, spec: NodeSpec): Promise<ManagedProcess> {
  const { kind, main, env, args = [], label = "" } = spec;
  return await startProcess({
    command: process.execPath,
    args: [...args, main],
    cwd: folder,
    logFile: join(folder, `${kind}${label}.log`),
    ipc: true,
    // Nothing from the shell that the bench was started in.
    env: { PATH: bench.path, NODE_ENV: "production", ...env },
  });
}

/** @throws when it does not get ready; the message has the end of its log */
async function awaitReady(started: ManagedProcess, what: string): Promise<void> {
  await untilReady(started, new AbortController().signal).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${what} ${reason}:\n${started.tail()}`);
  });
}
