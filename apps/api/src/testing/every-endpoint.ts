// For tests only: a request for each endpoint that needs a key, made from the URL map, so that tests of all
// endpoints cover new ones as well.
import type { Endpoint } from "../http/define-endpoint.ts";
import { routes } from "../routes.ts";
import type { SendOptions, TestGateway } from "./test-gateway.ts";

export interface EndpointRequest {
  name: string;
  endpoint: Endpoint;
  method: string;
  path: string;
  /** An example of the body, where the endpoint takes one. */
  body?: unknown;
}

/** Values for the path parameters. */
export type PathValues = Record<"workflow_name" | "workflow_run_id" | "step_id", string>;

/**
 * One request for each endpoint, and a HEAD beside each GET.
 *
 * @throws when a path has a parameter without a value
 */
export function requestEveryEndpoint(values: PathValues): EndpointRequest[] {
  const guarded = routes.filter(({ target }) => target.access !== "public");
  return guarded.flatMap(({ method, path, target: endpoint }) => {
    const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      const value = new Map(Object.entries(values)).get(name);
      if (value === undefined) throw new Error(`${path}: give {${name}} a value in every test`);
      return value;
    });
    const body = endpoint.body === undefined ? {} : { body: endpoint.body.example ?? {} };
    const methods = method === "GET" ? ["GET", "HEAD"] : [method];
    return methods.map((each) => ({
      name: `${each} ${path}`,
      endpoint,
      method: each,
      path: filled,
      ...body,
    }));
  });
}

export function send(gateway: TestGateway, request: EndpointRequest, options: SendOptions = {}) {
  const { method, path, body } = request;
  return gateway.send(method, path, { ...(body === undefined ? {} : { body }), ...options });
}
