// `npm run --silent seed`: the demo org, its key and the definitions of `workflows/`. Repeatable.
import { runTool } from "./run-tool.ts";
import { DEMO_ORG, seed } from "./seed/seed.ts";

await runTool("seed", async (db, { DATA_DIR: dataDir }) => {
  const { saved, unchanged, demoKeyFile } = await seed(db, { dataDir });
  return [
    `Org: ${DEMO_ORG}, its key in ${demoKeyFile}`,
    `Saved: ${saved.join(", ") || "none"}`,
    `Unchanged: ${unchanged.join(", ") || "none"}`,
  ].join("\n");
});
