import type { HttpRequest } from "./http-client.ts";

export function runRequest(name: string, apiKey: string, input: object): HttpRequest {
  const path = `/v1/workflows/${encodeURIComponent(name)}/run`;
  return { method: "POST", path, headers: headersOf(apiKey), body: JSON.stringify({ input }) };
}

/** The id in the answer to a {@link runRequest}. */
export function runIdOf(answer: string): string {
  return (JSON.parse(answer) as { workflow_run_id: string }).workflow_run_id;
}

export function getRequest(id: string, apiKey: string): HttpRequest {
  const headers = { authorization: `Bearer ${apiKey}` };
  return { method: "GET", path: `/v1/workflows/runs/${id}`, headers };
}

/** The org's newest runs. */
export function listRequest(apiKey: string): HttpRequest {
  const headers = { authorization: `Bearer ${apiKey}` };
  return { method: "GET", path: "/v1/workflows/runs", headers };
}

export function defineRequest(name: string, apiKey: string, definition: object): HttpRequest {
  const path = `/v1/workflows/${encodeURIComponent(name)}`;
  return { method: "PUT", path, headers: headersOf(apiKey), body: JSON.stringify(definition) };
}

function headersOf(apiKey: string): Record<string, string> {
  return { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
}
