import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { z } from "zod";
import { type Answer, defineEndpoint } from "../http/define-endpoint.ts";
import { notFound } from "../http/errors.ts";

/** Swagger UI sets inline styles; everything else must come from this origin. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const SAFE_HEADERS = {
  "Content-Security-Policy": CONTENT_SECURITY_POLICY,
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
};

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>API reference</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css" />
    <link rel="icon" type="image/png" href="data:," />
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

const START = `SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  persistAuthorization: true,
  validatorUrl: null,
});
`;

const CSS = "text/css; charset=utf-8";
const SCRIPT = "text/javascript; charset=utf-8";
const require = createRequire(import.meta.url);

/** The page's files: from the package, except for the script that starts it. Read once, when first asked for. */
const ASSETS: ReadonlyMap<string, { contentType: string; load: () => Promise<Buffer> }> = new Map([
  [
    "swagger-ui.css",
    { contentType: CSS, load: readOnce(require.resolve("swagger-ui-dist/swagger-ui.css")) },
  ],
  [
    "swagger-ui-bundle.js",
    {
      contentType: SCRIPT,
      load: readOnce(require.resolve("swagger-ui-dist/swagger-ui-bundle.js")),
    },
  ],
  ["start.js", { contentType: SCRIPT, load: async () => Buffer.from(START) }],
]);

function readOnce(path: string): () => Promise<Buffer> {
  let read: Promise<Buffer> | undefined;
  return () => {
    read ??= readFile(path).catch((error: unknown) => {
      read = undefined;
      throw error;
    });
    return read;
  };
}

/** The interactive reference. */
export const docsPage = defineEndpoint({
  operationId: "docs",
  summary: "This reference as an interactive page",
  tag: "Service",
  access: "public",
  responses: { 200: { description: "The page", schema: z.string(), contentType: "text/html" } },
  errors: [],
  handler: async () => ({
    status: 200,
    headers: SAFE_HEADERS,
    contentType: "text/html; charset=utf-8",
    text: PAGE,
  }),
});

/** A file of the page. Left out of the reference. */
export const docsAsset = defineEndpoint({
  operationId: "docsAsset",
  summary: "A file of the reference page",
  tag: "",
  access: "public",
  responses: {},
  errors: ["not_found"],
  async handler(request): Promise<Answer> {
    const asset = ASSETS.get(request.param("file").raw);
    if (asset === undefined) throw notFound();
    const headers = { ...SAFE_HEADERS, "Cache-Control": "public, max-age=3600" };
    return { status: 200, headers, contentType: asset.contentType, text: await asset.load() };
  },
});

/** The description of this API, made from the schemas that check its requests. */
export const openApiFile = defineEndpoint({
  operationId: "openapi",
  summary: "This reference as an OpenAPI 3.1 document",
  tag: "Service",
  access: "public",
  responses: {
    200: { description: "The document", schema: z.record(z.string(), z.unknown()) },
  },
  errors: [],
  handler: async (_request, { openApiText }) => ({ status: 200, text: await openApiText() }),
});
