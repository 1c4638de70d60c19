// Bundles what runs in Temporal's sandbox, once per build: workers then start without webpack.
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { bundleWorkflowCode, DefaultLogger } from "@temporalio/worker";
import { WORKFLOW_BUNDLE } from "./workflow-bundle-path.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const { code } = await bundleWorkflowCode({
  workflowsPath: here("workflows/index.js"),
  // With a prebuilt bundle, interceptors that are not named here are silently missing.
  workflowInterceptorModules: [here("workflows/mirror-interceptor.js")],
  payloadConverterPath: here("workflows/payload-converter.js"),
  failureConverterPath: here("workflows/failure-converter.js"),
  logger: new DefaultLogger("WARN"),
});
await writeFile(WORKFLOW_BUNDLE, code);
