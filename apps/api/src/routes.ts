import { listComponents } from "./components/list-components.ts";
import type { Endpoint } from "./http/define-endpoint.ts";
import type { Route } from "./http/route-matcher.ts";
import { authtest } from "./service/authtest.ts";
import { docsAsset, docsPage, openApiFile } from "./service/docs.ts";
import { healthz, readyz } from "./service/health.ts";
import { cancelWorkflowRun } from "./workflow-runs/cancel-workflow-run.ts";
import { getWorkflowRun } from "./workflow-runs/get-workflow-run.ts";
import { listWorkflowRuns } from "./workflow-runs/list-workflow-runs.ts";
import { reviewStep } from "./workflow-runs/review-step.ts";
import { runWorkflow } from "./workflow-runs/run-workflow.ts";
import { deleteWorkflow } from "./workflows/delete-workflow.ts";
import { getWorkflow } from "./workflows/get-workflow.ts";
import { listWorkflows } from "./workflows/list-workflows.ts";
import { patchWorkflow } from "./workflows/patch-workflow.ts";
import { putWorkflow } from "./workflows/put-workflow.ts";

/** The URL map. Of two lines that match a path and a method, the first one serves. */
export const routes: readonly Route<Endpoint>[] = [
  { method: "POST", path: "/v1/workflows/{workflow_name}/run", target: runWorkflow },
  { method: "GET", path: "/v1/workflows/runs", target: listWorkflowRuns },
  { method: "GET", path: "/v1/workflows/runs/{workflow_run_id}", target: getWorkflowRun },
  {
    method: "POST",
    path: "/v1/workflows/runs/{workflow_run_id}/cancel",
    target: cancelWorkflowRun,
  },
  {
    method: "POST",
    path: "/v1/workflows/runs/{workflow_run_id}/reviews/{step_id}",
    target: reviewStep,
  },

  { method: "GET", path: "/v1/workflows", target: listWorkflows },
  { method: "GET", path: "/v1/workflows/{workflow_name}", target: getWorkflow },
  { method: "PUT", path: "/v1/workflows/{workflow_name}", target: putWorkflow },
  { method: "PATCH", path: "/v1/workflows/{workflow_name}", target: patchWorkflow },
  { method: "DELETE", path: "/v1/workflows/{workflow_name}", target: deleteWorkflow },

  { method: "GET", path: "/v1/components", target: listComponents },
  { method: "GET", path: "/v1/utils/authtest", target: authtest },

  { method: "GET", path: "/healthz", target: healthz },
  { method: "GET", path: "/readyz", target: readyz },
  { method: "GET", path: "/openapi.json", target: openApiFile },
  { method: "GET", path: "/docs", target: docsPage },
  { method: "GET", path: "/docs/{file}", target: docsAsset },
];
