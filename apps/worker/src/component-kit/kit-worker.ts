// The parent's side of a worker process of the kit.
import { fileURLToPath } from "node:url";
import { type ManagedProcess, startProcess } from "@truerun/dev/processes/managed-process";
import { waitFor } from "@truerun/dev/testing/wait-for";
import type { AttemptGates, Gate } from "./attempt-gates.ts";

export type FromKitWorker =
  | { type: "loaded"; action: string }
  | { type: "working" }
  | { type: "reached"; gate: Gate };

export type ToKitWorker = { type: "work" } | { type: "pass"; gate: Gate };

/** A process that has loaded the component. */
export interface KitWorker {
  /** Lets it take tasks. */
  work(): Promise<void>;
  kill(): Promise<void>;
}

export interface KitWorkerSpec {
  /** Path of the component's file. */
  file: string;
  action: string;
  env: Record<string, string | undefined>;
  logFile: string;
  gates: AttemptGates;
}

const MAIN = fileURLToPath(new URL("kit-worker.mjs", import.meta.url));
const START_MS = 30_000;

/** @throws an Error when the process ends (with what it wrote), is not up in time, or holds another action */
export async function startKitWorker(spec: KitWorkerSpec): Promise<KitWorker> {
  const { file, action, env, logFile, gates } = spec;
  const args = [MAIN, file];
  const process = await startProcess({
    command: globalThis.process.execPath,
    args,
    env,
    logFile,
    ipc: true,
  });
  const told = new Set<FromKitWorker["type"]>();
  let loaded = "";
  const send = (message: ToKitWorker): void => {
    // The process may be gone: that is what the kit is for.
    if (process.child.connected) process.child.send(message, () => undefined);
  };
  process.child.on("message", (message: FromKitWorker) => {
    told.add(message.type);
    if (message.type === "loaded") loaded = message.action;
    if (message.type === "reached") {
      gates.reach(message.gate, () => send({ type: "pass", gate: message.gate }));
    }
  });
  const heard = (type: FromKitWorker["type"]): Promise<unknown> =>
    waitUntil(process, () => told.has(type));
  await heard("loaded");
  if (loaded !== action) throw new Error(`${file} holds the action ${loaded}, not ${action}`);
  return {
    async work() {
      send({ type: "work" });
      await heard("working");
    },
    kill: () => process.stop("SIGKILL", 0),
  };
}

async function waitUntil(process: ManagedProcess, isDone: () => boolean): Promise<void> {
  const { child } = process;
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  await waitFor("the kit's worker", () => isDone() || hasEnded(), START_MS);
  if (!isDone()) throw new Error(`The kit's worker ended:\n${process.tail()}`);
}
