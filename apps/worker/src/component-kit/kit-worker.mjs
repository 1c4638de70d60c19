// Runs kit-worker-main.ts from source, as the tests are run: the build may be older.
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const conditions = ["source", "module", "node", "development|production"];
await runnerImport(fileURLToPath(new URL("kit-worker-main.ts", import.meta.url)), {
  configFile: false,
  envFile: false,
  logLevel: "error",
  environments: { inline: { resolve: { conditions, noExternal: [/^@truerun\//] } } },
});
