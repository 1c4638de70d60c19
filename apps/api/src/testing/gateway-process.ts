import { type ChildProcess, execFile, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

/** Compiles the gateway: the tests run the build, as in production. */
export async function buildGateway(): Promise<void> {
  const args = ["node_modules/typescript/bin/tsc", "-b", "apps/api/tsconfig.build.json"];
  await promisify(execFile)(process.execPath, args, { cwd: ROOT });
}

export interface GatewayProcess {
  port: number;
  child: ChildProcess;
  /** Everything it has written so far, both streams. */
  output(): string;
  /** How it ended: exit code or signal. */
  ended: Promise<number | string>;
}

/** A gateway in a process of its own on a free port. */
export async function forkGateway(environment: Record<string, string>): Promise<GatewayProcess> {
  const child = fork("apps/api/dist/main.js", [], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"], PORT: "0", LOG_LEVEL: "info", ...environment },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    execArgv: [],
  });
  let written = "";
  const collect = (chunk: Buffer) => {
    written += chunk.toString("utf8");
  };
  child.stdout?.on("data", collect);
  child.stderr?.on("data", collect);
  const ended = once(child, "exit").then(([code, signal]): number | string => {
    return typeof code === "number" ? code : String(signal);
  });
  const port = await Promise.race([
    once(child, "message").then(([message]) => (message as { port: number }).port),
    ended.then((end): never => {
      throw new Error(`The gateway ended (${end}): ${written}`);
    }),
  ]);
  return { port, child, ended, output: () => written };
}
