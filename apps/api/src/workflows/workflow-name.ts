import { isWorkflowName } from "@truerun/shared/definitions/workflow-name";
import type { EndpointRequest } from "../http/define-endpoint.ts";
import { workflowNotFound } from "../http/errors.ts";

/** The name in the path. @throws 404 when no definition can have it, so that the database need not be asked */
export function getWorkflowName(request: Pick<EndpointRequest, "param">): string {
  const { raw, text } = request.param("workflow_name");
  if (text === null || !isWorkflowName(text)) throw workflowNotFound(text ?? raw);
  return text;
}
