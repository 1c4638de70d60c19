// Hostile input to every endpoint that takes it.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defineWorkflow, insertRun, type TestDefinition } from "../testing/run-rows.ts";
import { createTestRig, type TestRig } from "../testing/test-rig.ts";
import { type EndpointRequest, requestEveryEndpoint, send } from "../testing/every-endpoint.ts";

let rig: TestRig;
let definition: TestDefinition;
let runId: string;
beforeAll(async () => {
  rig = await createTestRig();
  definition = await defineWorkflow(rig);
  runId = await insertRun(rig, definition);
});
afterAll(async () => {
  await rig.close();
});

/** No answer may be an internal error, another server's error page, or reveal internals. */
async function assertHarmless(request: EndpointRequest, options = {}): Promise<string> {
  const answer = await send(rig.gateways[0], request, { key: rig.org.key, ...options });
  const seen = `${request.name} ${request.path}: ${answer.status} ${answer.text.slice(0, 300)}`;
  expect(answer.status, seen).toBeLessThan(500);
  expect(answer.text.length, seen).toBeLessThan(2_000_000);
  if (answer.status >= 400 && request.method !== "HEAD") {
    expect(Object.keys(answer.json), seen).toEqual(["detail"]);
  }
  expect(answer.text, seen).not.toMatch(/prisma|postgres|\bat \/|node_modules|SELECT /i);
  expect(({} as Record<string, unknown>)["polluted"], seen).toBeUndefined();
  return answer.text;
}

const INHERITED = ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"];
const PATH_TEXTS = [
  ...INHERITED,
  "%00",
  "a%00b",
  "%ff",
  "%",
  "..",
  "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
  "%ed%a0%80",
  "%0d%0aX-Injected:%201",
  "'%20OR%20'1'='1",
  "%F0%9F%92%A9".repeat(80),
  "x".repeat(8_000),
];

test.each(PATH_TEXTS)("as part of a path: %s", async (text) => {
  const values = { workflow_name: text, workflow_run_id: text, step_id: text };
  // What one of these requests creates, another deletes.
  for (const request of requestEveryEndpoint(values)) await assertHarmless(request);
});

const QUERIES = [
  "__proto__[polluted]=1&constructor[prototype][polluted]=1&__proto__.polluted=1",
  ...INHERITED.map((name) => `${name}=1`),
  "status=%00&workflow_name=%00&include=%00",
  "workflow_name=a%00b",
  "limit=1&limit=2",
  "limit[]=1&limit[$gt]=1",
  "limit=1e3&offset=0x10",
  "offset=9007199254740993",
  "include=input&include=error,__proto__",
  "status=started&status=__proto__",
  "created_at_after=-99999999999999999999",
  "workflow_name=%ff&workflow_name=%ed%a0%80",
  "&&&==&=&%",
  Array.from({ length: 1_000 }, (_, at) => `p${at}=1`).join("&"),
];

test.each(QUERIES.map((query) => [query.slice(0, 60), query]))(
  "as a query: %s",
  async (_, query) => {
    const values = {
      workflow_name: definition.name,
      workflow_run_id: runId,
      step_id: `cbwrs_${"0".repeat(32)}`,
    };
    for (const request of requestEveryEndpoint(values)) {
      // Only requests that read take a query, so nothing is changed.
      if (request.method !== "GET" && request.method !== "HEAD") continue;
      await assertHarmless({ ...request, path: `${request.path}?${query}` });
    }
  },
);

const nested = (depth: number, [open, close]: [string, string]): string =>
  open.repeat(depth) + close.repeat(depth);

const BODIES: [what: string, text: string][] = [
  [
    "inherited names",
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"input":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}',
  ],
  [
    "an inherited name for everything",
    '{"__proto__":null,"components":"__proto__","enabled":"constructor"}',
  ],
  [
    "NUL",
    '{"input":{"\\u0000":"\\u0000"},"description":"\\u0000","comment":"\\u0000","decision":"\\u0000"}',
  ],
  ["a lone surrogate", '{"input":{"a":"\\ud800"},"description":"\\ud800","comment":"\\udfff"}'],
  ["a raw NUL", '{"input":\u0000{}}'],
  ["the same name twice", '{"input":{"a":1},"input":{"a":2},"enabled":true,"enabled":false}'],
  ["a number beyond any", '{"input":{"n":1e400},"enabled":1e400}'],
  ["a long number", `{"input":{"n":${"9".repeat(10_000)}}}`],
  ["deep objects", `{"input":${nested(5_000, ['{"a":', "}"]).replace(":}", ":1}")}}`],
  [
    "deep lists",
    `{"input":{"a":${nested(50_000, ["[", "]"])}},"components":${nested(50_000, ["[", "]"])}}`,
  ],
  ["a list", "[]"],
  ["a text", '"x"'],
  ["nothing", "null"],
  ["half of it", '{"input":'],
  [
    "many names",
    `{"input":{${Array.from({ length: 20_000 }, (_, at) => `"k${at}":1`).join(",")}}}`,
  ],
  [
    "a long name above many numbers that are too large",
    `{"input":{"${"k".repeat(200_000)}":[${"1e400,".repeat(80_000)}1]}}`,
  ],
  [
    "a long name above many bad references",
    `{"components":[{"key":"a","action":"transform","with":{"value":{"${"k".repeat(100_000)}":"${"${{item}}".repeat(15_000)}"}}}]}`,
  ],
  [
    "a long name with an escape above many numbers that are too large",
    `{"\\u006b${"k".repeat(400_000)}":[${"1e400,".repeat(80_000)}1]}`,
  ],
  [
    "more elements than a call takes arguments",
    `{"components":[{"key":"a","action":"transform","next":[${"0,".repeat(300_000)}0]}]}`,
  ],
  [
    "many members that do not belong",
    `{"components":[{${Array.from({ length: 20_000 }, (_, at) => `"k${at}":1`).join(",")}}]}`,
  ],
  [
    "an expression",
    '{"input":{"a":"${{ steps.__proto__.output }}"},"components":[{"key":"__proto__","name":"x","action":"constructor","with":{"value":"${{ input.__proto__.polluted }}"}}]}',
  ],
];

describe("as a body:", () => {
  test.each(BODIES)("%s", async (_, text) => {
    const values = {
      workflow_name: definition.name,
      workflow_run_id: runId,
      step_id: `cbwrs_${"0".repeat(32)}`,
    };
    const taking = requestEveryEndpoint(values).filter(
      ({ endpoint }) => endpoint.body !== undefined,
    );
    expect(taking.length).toBeGreaterThan(0);
    for (const request of taking) await assertHarmless(request, { body: text });
  });

  test("inherited names in an input are kept as what they are", async () => {
    const input = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}';
    const path = `/v1/workflows/${definition.name}/run`;
    const { key } = rig.org;
    const put = {
      components: [{ key: "shape", name: "Shape", action: "transform", with: { value: 1 } }],
    };
    await rig.gateways[0].send("PUT", `/v1/workflows/${definition.name}`, { key, body: put });
    const answer = await rig.gateways[0].send("POST", path, { key, body: `{"input":${input}}` });
    expect([answer.status, answer.text.includes(`"input":${input}`)]).toEqual([201, true]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

describe("as a header:", () => {
  test.each([
    ["Idempotency-Key", "a\tb", 422],
    ["Idempotency-Key", "x".repeat(256), 422],
    ["Idempotency-Key", "ключ", 422],
    ["Idempotency-Key", "__proto__", 201],
    ["X-Request-Id", "__proto__", 201],
    ["Content-Type", "application/json; charset=__proto__", 415],
    ["Content-Encoding", "constructor", 415],
  ])("%s: %j", async (name, text, status) => {
    const path = `/v1/workflows/${definition.name}/run`;
    const headers = { [name]: Buffer.from(text, "utf8").toString("latin1") };
    const options = { key: rig.org.key, body: "{}", headers };
    const answer = await rig.gateways[0].send("POST", path, options);
    expect(answer.status, answer.text).toBe(status);
  });
});
