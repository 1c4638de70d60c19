import type { IncomingHttpHeaders } from "node:http";
import type { ApiKeyScope } from "@truerun/shared/api-keys";
import type { CatalogueEntry } from "@truerun/shared/definitions/load-catalogue";
import type { ErrorCode } from "@truerun/shared/errors";
import type { z } from "zod";
import type { EndpointServices } from "../dependencies.ts";
import type { LoadClass } from "./admission.ts";
import type { Credential } from "./authenticate.ts";
import type { PathParam } from "./route-matcher.ts";

/** What an endpoint answers. `text` goes out as it is, so that stored JSON is never rewritten. */
export interface Answer {
  status: number;
  headers?: Readonly<Record<string, string>>;
  /** The body; none for a 204. */
  text?: string;
  /** JSON unless it says otherwise. */
  contentType?: string;
}

/** A request that has passed routing and, where there is one, the reading of its body. */
export interface EndpointRequest<Query = unknown> {
  headers: IncomingHttpHeaders;
  /** A path parameter. @throws when the route has none of that name, which is a fault of ours */
  param(name: string): PathParam;
  query: Query;
  /** The body, decompressed; empty when there is none. */
  body: Uint8Array<ArrayBuffer>;
  credential: Credential;
  /** Notes what the endpoint's statement said of the key; see `Authenticator`. */
  confirm: (orgId: string | null | undefined) => string;
  /** Adds to the request's line in the log. */
  note(facts: Readonly<Record<string, string>>): void;
}

/** Who may call: anybody, any good key, or a good key that has the scope. */
type Access = "public" | "any_key" | ApiKeyScope;

/** An answer as the reference shows it. */
export interface DocumentedResponse {
  description: string;
  schema?: z.ZodType;
  contentType?: string;
  headers?: z.ZodObject;
  /** Bodies to show, by name, made of what the catalogue holds at the time. */
  examples?: (catalogue: readonly CatalogueEntry[]) => Record<string, ResponseExample>;
}

/** A body to show. */
export interface ResponseExample {
  summary: string;
  description: string;
  value: unknown;
}

/** One endpoint: what it takes, what it answers, who may call it, and what it does. */
export interface EndpointDefinition<Query extends z.ZodType> {
  operationId: string;
  summary: string;
  description?: string;
  tag: string;
  access: Access;
  /** What it adds to; default: `others`. */
  load?: LoadClass;
  /** Documentation of the path's parameters; their texts are judged by the handler. */
  params?: z.ZodObject;
  /** Parses the query, given as a list of texts a name. */
  query?: Query;
  /** Names of query parameters whose texts are lists, separated by commas. */
  commaLists?: readonly string[];
  headers?: z.ZodObject;
  /** Present when the endpoint reads a body; the handler parses it. */
  body?: { schema: z.ZodType; required: boolean; example?: unknown };
  responses: Readonly<Record<number, DocumentedResponse>>;
  /** The errors of its own, beside those that every endpoint of its kind has. */
  errors: readonly ErrorCode[];
  handler(request: EndpointRequest<z.output<Query>>, services: EndpointServices): Promise<Answer>;
}

/** An endpoint whose query type nobody outside needs to know. */
export type Endpoint = Omit<EndpointDefinition<z.ZodType>, "handler" | "query"> & {
  query?: z.ZodType;
  handler(request: EndpointRequest<never>, services: EndpointServices): Promise<Answer>;
};

export function defineEndpoint<Query extends z.ZodType>(
  definition: EndpointDefinition<Query>,
): Endpoint {
  return definition;
}

/** An answer of JSON made from a value that holds nothing of a caller's exact text. */
export function json(status: number, value: unknown): Answer {
  return { status, text: JSON.stringify(value) };
}
