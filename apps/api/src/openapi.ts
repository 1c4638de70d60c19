import type { CatalogueEntry } from "@truerun/shared/definitions/load-catalogue";
import { z } from "zod";
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
} from "zod-openapi";
import type { DocumentedResponse, Endpoint } from "./http/define-endpoint.ts";
import { type ErrorCode, ERRORS, errorShapeOf } from "./http/errors.ts";
import type { Route } from "./http/route-matcher.ts";

/** The OpenAPI document of these routes, as JSON text. Endpoints without a tag are left out. */
export function toOpenApiText(
  routes: readonly Route<Endpoint>[],
  catalogue: readonly CatalogueEntry[],
): string {
  const paths: ZodOpenApiPathsObject = {};
  for (const { method, path, target } of routes) {
    if (target.tag === "") continue;
    paths[path] = { ...paths[path], [method.toLowerCase()]: toOperation(target, catalogue) };
  }
  return JSON.stringify(
    createDocument({
      openapi: "3.1.0",
      info: {
        title: "truerun",
        version: "1",
        description: "Durable workflow runs: start them, read them, list them.",
        license: { name: "MIT", identifier: "MIT" },
      },
      servers: [{ url: "/" }],
      security: [{ apiKey: [] }],
      tags: [
        { name: "Workflow runs", description: "Start, read and list runs" },
        { name: "Workflow definitions", description: "What runs execute" },
        { name: "Catalogue", description: "What definitions are made of" },
        { name: "Service", description: "About the service itself" },
      ],
      paths,
      components: {
        securitySchemes: {
          apiKey: {
            type: "http",
            scheme: "bearer",
            bearerFormat: "ak_live_...",
            description: "An API key; it belongs to one org.",
          },
        },
      },
    }),
  );
}

function toOperation(
  endpoint: Endpoint,
  catalogue: readonly CatalogueEntry[],
): ZodOpenApiOperationObject {
  const { params, query, headers, body } = endpoint;
  const requestParams = {
    ...(params === undefined ? {} : { path: params }),
    ...(query === undefined ? {} : { query }),
    ...(headers === undefined ? {} : { header: headers }),
  };
  return {
    operationId: endpoint.operationId,
    summary: endpoint.summary,
    description: toDescription(endpoint),
    tags: [endpoint.tag],
    ...(endpoint.access === "public" ? { security: [] } : {}),
    requestParams,
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: body.required,
            content: {
              "application/json": {
                schema: body.schema,
                ...(body.example === undefined ? {} : { example: body.example }),
              },
            },
          },
        }),
    responses: { ...toSuccesses(endpoint, catalogue), ...toErrors(endpoint) },
  };
}

function toDescription({ summary, description, access }: Endpoint): string {
  const scope =
    access === "public" || access === "any_key" ? "" : ` Needs the scope \`${access}\`.`;
  return `${description ?? `${summary}.`}${scope}`;
}

const requestIdHeader = z
  .string()
  .meta({ description: "The request's id, the caller's or a new one" });

function toSuccesses({ responses }: Endpoint, catalogue: readonly CatalogueEntry[]) {
  const documented = Object.entries(responses).map(([status, response]) => [
    status,
    {
      description: response.description,
      headers: z.object({ ...response.headers?.shape, "X-Request-Id": requestIdHeader }),
      ...(response.schema === undefined ? {} : { content: toContent(response, catalogue) }),
    },
  ]);
  return Object.fromEntries(documented);
}

function toContent(
  { contentType = "application/json", schema, examples }: DocumentedResponse,
  catalogue: readonly CatalogueEntry[],
) {
  return { [contentType]: { schema, ...(examples && { examples: examples(catalogue) }) } };
}

/** Error codes that follow from who may call an endpoint and what it takes. */
function impliedErrors({ access, body, query, headers }: Endpoint): ErrorCode[] {
  const implied: ErrorCode[] = ["internal_error"];
  if (access !== "public") {
    implied.push("not_authenticated", "invalid_api_key", "rate_limited", "service_unavailable");
    if (access !== "any_key") implied.push("insufficient_scope");
  }
  if (body !== undefined) implied.push("payload_too_large", "unsupported_media_type");
  if (body !== undefined || query !== undefined || headers !== undefined) {
    implied.push("invalid_request");
  }
  return implied;
}

const retryAfterHeader = z.string().meta({ description: "Seconds until another try makes sense" });

/** Headers of an error's answer, by status. */
const ERROR_HEADERS: Readonly<Record<number, z.ZodRawShape>> = {
  401: { "WWW-Authenticate": z.literal("Bearer").meta({ description: "How to authenticate" }) },
  429: { "Retry-After": retryAfterHeader },
  503: { "Retry-After": retryAfterHeader },
};

function toErrors(endpoint: Endpoint) {
  const codes = [...new Set([...endpoint.errors, ...impliedErrors(endpoint)])];
  const statuses = [...new Set(codes.map((code) => ERRORS[code].status))];
  const documented = statuses
    .toSorted((left, right) => left - right)
    .map((status) => ({ status, group: codes.filter((code) => ERRORS[code].status === status) }))
    .map(({ status, group }) => [
      String(status),
      {
        description: group.map((code) => ERRORS[code].explanation).join("; or: "),
        headers: z.object({ ...ERROR_HEADERS[status], "X-Request-Id": requestIdHeader }),
        content: { "application/json": { schema: toErrorSchema(group) } },
      },
    ]);
  return Object.fromEntries(documented);
}

const authenticationErrorSchema = z
  .strictObject({ detail: z.string() })
  .meta({ id: "AuthenticationError", example: { detail: "Not authenticated" } });

const validationErrorSchema = z
  .strictObject({
    detail: z.array(
      z.strictObject({
        loc: z.array(z.union([z.string(), z.int()])),
        msg: z.string(),
        type: z.string(),
      }),
    ),
  })
  .meta({
    id: "ValidationError",
    example: {
      detail: [
        { loc: ["body", "input"], msg: "Input should be a valid dictionary", type: "dict_type" },
      ],
    },
  });

/** @param codes - of one status, and so of one shape */
function toErrorSchema(codes: readonly ErrorCode[]): z.ZodType {
  const [shape = "code_and_message"] = codes.map(errorShapeOf);
  switch (shape) {
    case "message":
      return authenticationErrorSchema;
    case "faults":
      return validationErrorSchema;
    case "code_and_message": {
      const detail = z.strictObject({ code: z.enum(codes), message: z.string() });
      return z.strictObject({ detail }).meta({ description: "What went wrong" });
    }
  }
}
