// How a run appears in Temporal, whoever starts it. Sandbox-safe.
import { durationMs } from "../contracts/duration.ts";
import type { RunRequestedEvent } from "../contracts/run-requested-event.ts";
import { SEARCH_ATTRIBUTES } from "../search-attributes.ts";
import { clipUtf8, toOneLine } from "../storable-text.ts";
import { type DispatchableRun, toRunRequestedEvent } from "./run-requested.ts";

/** The server accepts 20,000 bytes, including quotes and escapes of the JSON payload. */
const MAX_DETAILS_BYTES = 8_000;
/** Invisible characters, which take six bytes each there. */
const INVISIBLE = /(?![\n\t])\p{Cc}/gu;

/** What a run's Temporal workflow is started with; its workflow type is the workflow's name. */
export function toStartOptions(run: DispatchableRun) {
  const args: [RunRequestedEvent] = [toRunRequestedEvent(run)];
  return {
    workflowId: run.workflowRunId,
    args,
    workflowExecutionTimeout: durationMs(run.document.timeout),
    // Orgs take turns with their waiting tasks: those of the run, and of everything that it starts.
    priority: { fairnessKey: run.orgId },
    typedSearchAttributes: [
      { key: SEARCH_ATTRIBUTES.orgId, value: run.orgId },
      { key: SEARCH_ATTRIBUTES.orgName, value: run.orgName },
      { key: SEARCH_ATTRIBUTES.workflowName, value: run.workflowName },
    ],
    staticSummary: toOneLine(`${run.orgName}: ${run.workflowName}`),
    staticDetails: clipUtf8(staticDetails(run).replaceAll(INVISIBLE, " "), MAX_DETAILS_BYTES),
  };
}

/** What Temporal Web UI shows on a run's page, as Markdown. */
function staticDetails(run: DispatchableRun): string {
  const { description, components } = run.document;
  const steps = components.map(
    ({ name, action }, index) => `${index + 1}. ${name} (\`${action}\`)`,
  );
  return [
    ...(description === "" ? [] : [description, ""]),
    `Definition \`${run.workflowDefinitionId}\`, version ${run.definitionVersion}, of \`${run.orgId}\`.`,
    "",
    ...steps.slice(0, 50),
    ...(steps.length > 50 ? [`... and ${steps.length - 50} more`] : []),
  ].join("\n");
}
