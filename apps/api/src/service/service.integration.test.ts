import { waitFor } from "@truerun/dev/testing/wait-for";
import { afterAll, beforeAll, expect, test } from "vitest";
import { routes } from "../routes.ts";
import { createTestRig, type TestRig } from "../testing/test-rig.ts";

let rig: TestRig;
beforeAll(async () => {
  rig = await createTestRig();
});
afterAll(async () => {
  await rig.close();
});

const get = (path: string) => rig.gateways[0].send("GET", path);

test("the catalogue is what the workers published", async () => {
  const answer = await rig.gateways[0].send("GET", "/v1/components", { key: rig.org.plainKey });
  expect(answer.status).toBe(200);
  const retry = { max_attempts: 5, initial_interval: "1s", backoff_coefficient: 2 };
  expect(answer.json["data"]).toEqual([
    {
      action_type: "transform",
      title: "Transform",
      description: "Gives back its value",
      input_schema: {
        type: "object",
        properties: { value: {} },
        required: ["value"],
        additionalProperties: false,
      },
      output_schema: {},
      defaults: { timeout: "10s", retry: { ...retry, max_interval: "1m" } },
    },
  ]);
  const { components } = (await get("/openapi.json")).json as unknown as {
    components: { schemas: Record<string, { properties: object }> };
  };
  const [entry] = answer.json["data"] as object[];
  const described = components.schemas["ComponentType"]?.properties;
  expect(Object.keys(described ?? {})).toEqual(Object.keys(entry ?? {}));
});

test("the reference shows each entry of the catalogue, and does without while the database is away", async () => {
  const published = await rig.gateways[0].send("GET", "/v1/components", { key: rig.org.key });
  const entry = {
    summary: "transform: Transform",
    description: "Gives back its value",
    value: published.json,
  };
  expect(await shownCatalogue(0)).toEqual({ transform: entry });
  await rig.db.componentType.update({
    where: { actionType: "transform" },
    data: { title: "Transform anew" },
  });
  try {
    rig.databaseProxy.freeze();
    // This gateway has not been asked before.
    expect(await shownCatalogue(1)).toEqual({});
    rig.databaseProxy.restore();
    for (const gateway of [0, 1] as const) {
      await waitFor("the catalogue as it is now", async () => {
        return (
          (await shownCatalogue(gateway))["transform"]?.summary === "transform: Transform anew"
        );
      });
    }
  } finally {
    rig.databaseProxy.restore();
  }
});

async function shownCatalogue(gateway: 0 | 1): Promise<Record<string, { summary: string }>> {
  const answer = await rig.gateways[gateway].send("GET", "/openapi.json");
  expect(answer.status).toBe(200);
  const { paths } = answer.json as unknown as { paths: Record<string, { get: ListOperation }> };
  return paths["/v1/components"]?.get.responses["200"].content["application/json"].examples ?? {};
}

interface ListOperation {
  responses: {
    200: { content: { "application/json": { examples: Record<string, { summary: string }> } } };
  };
}

test("healthz and readyz need no key", async () => {
  expect((await get("/healthz")).status).toBe(200);
  expect((await get("/readyz")).json).toEqual({ status: "ok" });
});

test("the reference describes every route but the page's own files", async () => {
  const answer = await get("/openapi.json");
  expect(answer.status).toBe(200);
  expect(answer.json["openapi"]).toBe("3.1.0");
  const paths = answer.json["paths"] as Record<string, Record<string, { responses: object }>>;
  const described = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const served = routes
    .filter(({ path }) => path !== "/docs/{file}")
    .map(({ method, path }) => `${method} ${path}`);
  expect(described.toSorted()).toEqual(served.toSorted());
  const run = paths["/v1/workflows/{workflow_name}/run"]?.["post"];
  expect(Object.keys(run?.responses ?? {})).toEqual([
    "201",
    "401",
    "404",
    "409",
    "413",
    "415",
    "422",
    "429",
    "500",
    "502",
    "503",
  ]);
});

test("the reference names the headers of errors and the defaults of pages", async () => {
  const { paths } = (await get("/openapi.json")).json as unknown as {
    paths: Record<string, { get: Operation }>;
  };
  const list = paths["/v1/workflows/runs"]?.get;
  expect(Object.keys(list?.responses["401"]?.headers ?? {})).toContain("WWW-Authenticate");
  expect(Object.keys(list?.responses["503"]?.headers ?? {})).toContain("Retry-After");
  const defaults = list?.parameters.map(({ name, schema }) => [name, schema["default"]]);
  expect(defaults).toEqual(
    expect.arrayContaining([
      ["limit", 100],
      ["offset", 0],
    ]),
  );
});

interface Operation {
  responses: Record<string, { headers: object }>;
  parameters: { name: string; schema: Record<string, unknown> }[];
}

test("the page loads nothing from elsewhere", async () => {
  const page = await get("/docs");
  expect(page.status).toBe(200);
  expect(page.headers["content-type"]).toMatch(/^text\/html/);
  expect(page.headers["content-security-policy"]).toContain("default-src 'none'");
  expect(page.text).not.toMatch(/https?:\/\//);
  const files = [...page.text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, file]) => file ?? "");
  expect(files).toHaveLength(3);
  for (const file of files) expect((await get(file)).status, file).toBe(200);
});
