// `npm run bench`: this service, raw Temporal, a naive use of it, and another engine, side by side.
import { createDisplay } from "@truerun/dev/report/display";
import { runInFolder } from "@truerun/dev/run-in-folder";
import { parseOptions } from "./options.ts";
import { runBench } from "./run-bench.ts";
import { releaseAll } from "./systems/hold.ts";

const args = process.argv.slice(2);
const display = createDisplay(process.stdout);
const folder = { name: "bench", onExit: releaseAll, onError: () => display.close() };
await runInFolder(folder, async (dataDir) => {
  await runBench({
    options: parseOptions(args),
    display,
    dataDir,
    command: ["npm run bench --", ...args].join(" "),
    temporalCliPath: process.env["TEMPORAL_CLI_PATH"],
    path: process.env["PATH"],
  });
  return true;
});
