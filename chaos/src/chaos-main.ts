// `npm run chaos`: runs the whole service under a seed's faults, and checks that everything promised held.
import { createDisplay } from "@truerun/dev/report/display";
import { runInFolder } from "@truerun/dev/run-in-folder";
import { parseOptions } from "./options.ts";
import { runChaos } from "./run-chaos.ts";
import { resumeAll } from "./system/part.ts";

const args = process.argv.slice(2);
const display = createDisplay(process.stdout);
const folder = { name: "chaos", onExit: resumeAll, onError: () => display.close() };
await runInFolder(folder, async (dataDir) => {
  const command = ["npm run chaos --", ...args].join(" ");
  const temporalCliPath = process.env["TEMPORAL_CLI_PATH"];
  const options = parseOptions(args);
  return await runChaos({ options, command, dataDir, temporalCliPath, display });
});
