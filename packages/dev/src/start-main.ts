// `npm start`: everything on this machine, until Ctrl-C or SIGTERM.
import { readStartConfig } from "./config.ts";
import { explainError } from "./explain-error.ts";
import { killAllProcesses } from "./processes/managed-process.ts";
import { claimDataDir } from "./start/claim-data-dir.ts";
import { createProgress } from "./start/progress.ts";
import { startSystem } from "./start/start-system.ts";
import { watchNpm } from "./start/watch-npm.ts";

/** npm forwards a Ctrl-C that the terminal has already sent: only a later signal counts as a second one. */
const ONE_PRESS_MS = 1_000;

const progress = createProgress((text) => process.stdout.write(text));

async function main(signal: AbortSignal): Promise<void> {
  const config = readStartConfig();
  const claim = await claimDataDir(config.DATA_DIR, { say: progress.line, signal });
  const stopping = untilAborted(signal).then(() => claim.markStopping());
  const started = performance.now();
  try {
    const system = await startSystem({ config, progress, signal });
    const seconds = ((performance.now() - started) / 1_000).toFixed(1);
    progress.line(`Everything ... ${seconds} s\n${system.banner}`);
    await stopping;
    await progress.step("Stopped", () => system.stop());
  } finally {
    if (signal.aborted) await stopping;
    await claim.release();
  }
}

/** Aborts at the first request to stop; a second one kills everything at once. */
function listenForStop(): AbortController {
  const stopping = new AbortController();
  let firstAt = 0;
  const onSignal = (): void => {
    if (!stopping.signal.aborted) {
      firstAt = Date.now();
      progress.line("Stopping; once more to force it");
      stopping.abort();
    } else if (Date.now() - firstAt > ONE_PRESS_MS) {
      killAllProcesses();
      process.exit(1);
    }
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  watchNpm(process.env["npm_lifecycle_event"] === "start", onSignal);
  // With its reader gone, nothing can be printed any more, but everything must still be ended in order.
  process.stdout.on("error", () => undefined);
  // Whatever ends this process, what it started ends with it.
  process.on("exit", killAllProcesses);
  return stopping;
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}

const { signal } = listenForStop();
try {
  await main(signal);
  process.exit(0);
} catch (error) {
  // Being stopped on request is no failure, however far the start had come.
  if (signal.aborted) process.exit(0);
  process.stderr.write(`\n${explainError(error)}\n`);
  process.exit(1);
}
