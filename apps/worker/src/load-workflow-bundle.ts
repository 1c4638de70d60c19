import { readFile } from "node:fs/promises";
import type { WorkflowBundleOption } from "@temporalio/worker";
import { WORKFLOW_BUNDLE } from "./workflow-bundle-path.ts";

/** Prepended to the bundle's first line, so that positions in its source map stay right. */
const ENCODES_FAILURES = "globalThis.truerunEncodesFailures = true;";

/**
 * The prebuilt bundle for a Worker.
 *
 * @param isEncrypting - whether the messages of failures go where a codec encrypts them; see
 *   `workflows/failure-converter.ts`
 */
export async function loadWorkflowBundle(isEncrypting: boolean): Promise<WorkflowBundleOption> {
  if (!isEncrypting) return { codePath: WORKFLOW_BUNDLE };
  return { code: `${ENCODES_FAILURES}${await readFile(WORKFLOW_BUNDLE, "utf8")}` };
}
