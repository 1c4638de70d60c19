import type { IncomingHttpHeaders } from "node:http";
import type { ApiKeyScope } from "@truerun/shared/api-keys";
import type { CatalogueEntry } from "@truerun/shared/definitions/load-catalogue";
import type { z } from "zod";
import type { EndpointServices } from "../dependencies.ts";
import type { LoadClass } from "./admission.ts";
import type { Credential } from "./authenticate.ts";
import type { ErrorCode } from "./errors.ts";
import type { Body } from "./parse-json-body.ts";
import type { PathParam } from "./route-matcher.ts";

/** What an endpoint answers. `text` goes out as it is, so that stored JSON is never rewritten. */
export interface Answer {
  status: number;
  headers?: Readonly<Record<string, string>>;
  /** The body; none for a 204. A buffer is shared by all that it is sent to. */
  text?: string | Buffer;
  /** JSON unless it says otherwise. */
  contentType?: string;
}

/** A request that has been routed and whose body, if any, has been read. */
export interface EndpointRequest<Query = unknown> {
  headers: IncomingHttpHeaders;
  /** A path parameter. @throws when the route has none of that name, which is a bug */
  param(name: string): PathParam;
  query: Query;
  /** Without bytes when there is none. */
  body: Body;
  credential: Credential;
  /** Records what the endpoint's statement said about the key; see `Authenticator`. */
  confirm: (orgId: string | null | undefined) => string;
  /** To be called before Temporal is asked: its latency must not hold up other requests of the key. */
  endTurn(): void;
  /** Adds to the request's line in the log. */
  note(facts: Readonly<Record<string, string>>): void;
}

/** Who may call: anybody, any good key, or a good key that has the scope. */
type Access = "public" | "any_key" | ApiKeyScope;

/** An answer as documented in the reference. */
export interface DocumentedResponse {
  description: string;
  schema?: z.ZodType;
  contentType?: string;
  headers?: z.ZodObject;
  /** Example bodies by name, made from the current catalogue. */
  examples?: (catalogue: readonly CatalogueEntry[]) => Record<string, ResponseExample>;
}

/** An example body. */
export interface ResponseExample {
  summary: string;
  description: string;
  value: unknown;
}

/** One endpoint: what it takes, what it answers, who may call it, and what it does. */
export interface EndpointDefinition<Query extends z.ZodObject> {
  operationId: string;
  summary: string;
  description?: string;
  tag: string;
  access: Access;
  /** The load class it counts towards; default: `others`. */
  load?: LoadClass;
  /** Documents the path's parameters; the handler validates their texts. */
  params?: z.ZodObject;
  /** Parses the query, given as one list of texts per name. */
  query?: Query;
  headers?: z.ZodObject;
  /** Present when the endpoint reads a body; the handler parses it. */
  body?: { schema: z.ZodType; required: boolean; example?: unknown };
  responses: Readonly<Record<number, DocumentedResponse>>;
  /** Its own errors, in addition to those that every endpoint of its kind has. */
  errors: readonly ErrorCode[];
  handler(request: EndpointRequest<z.output<Query>>, services: EndpointServices): Promise<Answer>;
}

/** An endpoint with its query type erased. */
export type Endpoint = Omit<EndpointDefinition<z.ZodObject>, "handler"> & {
  handler(request: EndpointRequest<never>, services: EndpointServices): Promise<Answer>;
};

/**
 * An endpoint for `routes.ts`. Its schemas make its part of the OpenAPI document; only `query` is also what the
 * request is parsed by before the handler sees it. The handler reads and checks path, headers and body itself.
 */
export function defineEndpoint<Query extends z.ZodObject>(
  definition: EndpointDefinition<Query>,
): Endpoint {
  return definition;
}

/** A JSON answer, from a value that need not preserve a caller's exact text. */
export function json(status: number, value: unknown): Answer {
  return { status, text: JSON.stringify(value) };
}
