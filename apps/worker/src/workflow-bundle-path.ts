import { fileURLToPath } from "node:url";

/** Where the build puts the workflow bundle: the same path from `src` and from `dist`. */
export const WORKFLOW_BUNDLE = fileURLToPath(
  new URL("../dist/workflow-bundle.js", import.meta.url),
);
