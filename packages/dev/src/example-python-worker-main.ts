// `npm run example:python-worker`: serves the component of examples/python-risk-score, until Ctrl-C.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { readExampleConfig } from "./config.ts";
import { explainError } from "./explain-error.ts";
import { findRunning } from "./find-database.ts";
import { EXAMPLES_DIR, TEMPORAL_CACHE_DIR } from "./project-paths.ts";
import { findPythonSdk } from "./python/find-python-sdk.ts";
import { StartError } from "./start/start-error.ts";

async function main(): Promise<number> {
  const config = readExampleConfig();
  const address = config.TEMPORAL_ADDRESS ?? (await findRunningTemporal(config));
  const { command, environment } = await findPythonSdk({
    cacheDir: TEMPORAL_CACHE_DIR,
    progress: (message) => process.stderr.write(`${message} ...\n`),
  });
  const worker = spawn(command, [join(EXAMPLES_DIR, "python-risk-score", "worker.py")], {
    stdio: "inherit",
    env: { ...process.env, ...environment, TEMPORAL_ADDRESS: address },
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => worker.kill(signal));
  }
  return await new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("exit", (code) => resolve(code ?? 1));
  });
}

async function findRunningTemporal(config: ReturnType<typeof readExampleConfig>): Promise<string> {
  const running = await findRunning(config);
  if (running !== null) return running.temporalAddress;
  throw new StartError("There is no Temporal: run npm start first, or set TEMPORAL_ADDRESS.");
}

try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(`${explainError(error)}\n`);
  process.exit(1);
}
