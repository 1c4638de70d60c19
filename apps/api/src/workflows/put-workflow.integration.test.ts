import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { echo } from "../testing/test-gateway.ts";
import { createTestRig, type TestRig } from "../testing/test-rig.ts";

let rig: TestRig;
beforeAll(async () => {
  rig = await createTestRig();
});
afterAll(async () => {
  await rig.close();
});

const at = (name: string) => `/v1/workflows/${encodeURIComponent(name)}`;
const unused = () => `w-${randomUUID()}`;

function send(method: string, path: string, body?: unknown, key = rig.org.key) {
  return rig.gateways[0].send(method, path, { key, body });
}

describe("PUT", () => {
  test("creates a definition with every default filled in, as GET then has it", async () => {
    const name = unused();
    const put = await send("PUT", at(name), {
      description: "Shapes",
      components: [
        { key: "a", action: "transform", with: { value: { "2": 1, n: 1 } }, next: [{ to: "b" }] },
        {
          key: "b",
          name: "Second",
          action: "transform",
          with: { value: "${{ item }}" },
          for_each: [1, "${{ input.x }}"],
        },
      ],
    });
    expect(put.status, put.text).toBe(201);
    expect(Object.keys(put.json)).toEqual([
      "workflow_definition_id",
      "workflow_name",
      "description",
      "enabled",
      "version",
      "timeout",
      "created_at",
      "updated_at",
      "components",
    ]);
    expect(put.json).toMatchObject({
      workflow_name: name,
      enabled: true,
      version: 1,
      timeout: "30d",
    });
    const [first, second] = put.json["components"] as object[];
    expect(second).toMatchObject({ for_each: [1, "${{ input.x }}"], max_concurrency: 10 });
    expect(first).toEqual({
      component_id: expect.stringMatching(/^cbwc_[0-9a-f]{32}$/),
      key: "a",
      name: "a",
      action: "transform",
      with: { value: { "2": 1, n: 1 } },
      next: [{ to: "b", on: "success" }],
      timeout: "10s",
      retry: {
        max_attempts: 5,
        initial_interval: "1s",
        backoff_coefficient: 2,
        max_interval: "1m",
      },
      on_failure: "fail_run",
    });
    const got = await send("GET", at(name));
    expect([got.status, got.text]).toEqual([200, put.text]);
  });

  test("makes the next version, with the same ids of definition and components", async () => {
    const name = unused();
    const put = async (value: unknown) => send("PUT", at(name), echo(value));
    const first = await put(1);
    const second = await put(2);
    expect([second.status, second.json["version"]]).toEqual([200, 2]);
    expect(second.json["workflow_definition_id"]).toBe(first.json["workflow_definition_id"]);
    const ids = [first, second].map(
      ({ json }) => (json["components"] as { component_id: string }[])[0]?.component_id,
    );
    expect(ids[0]).toBe(ids[1]);
    const same = await put(2);
    expect(same.json["version"]).toBe(3);
  });

  test("of one name by 30 at once on two gateways makes 30 versions without a gap", async () => {
    const name = unused();
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, value) =>
        rig.gateways[value % 2 === 0 ? 0 : 1].send("PUT", at(name), {
          key: rig.org.key,
          body: echo(value),
        }),
      ),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(29);
    const versions = answers.map(({ json }) => Number(json["version"]));
    expect(versions.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    expect(new Set(answers.map(({ json }) => json["workflow_definition_id"])).size).toBe(1);
    const newest = answers.find(({ json }) => json["version"] === 30);
    expect((await send("GET", at(name))).json["components"]).toEqual(newest?.json["components"]);
  });

  test("races DELETE without a 500", async () => {
    const name = unused();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, at_) =>
        at_ % 3 === 0 ? send("DELETE", at(name)) : send("PUT", at(name), echo(at_)),
      ),
    );
    const unexpected = answers.filter(({ status }) => ![200, 201, 204, 404].includes(status));
    expect(unexpected).toEqual([]);
  });

  test("lists every fault of a definition with its place", async () => {
    const answer = await send("PUT", at(unused()), {
      components: [
        { key: "a", action: "nope", next: [{ to: "zz" }] },
        { key: "a", action: "transform", with: {}, other: 1 },
      ],
    });
    expect(answer.status).toBe(422);
    const detail = answer.json["detail"] as { loc: unknown[]; type: string }[];
    expect(detail.map(({ loc }) => loc.join("."))).toEqual(
      expect.arrayContaining([
        "body.components.0.next.0.to",
        "body.components.0.action",
        "body.components.1.other",
        "body.components.1.key",
        "body.components.1.with.value",
      ]),
    );
  });

  test("lists a bad name, numbers that cannot be kept and other faults together", async () => {
    const answer = await send(
      "PUT",
      "/v1/workflows/a%00b",
      '{"components":[{"key":"a","action":"transform","with":{"value":[9007199254740993]},"x":1}]}',
    );
    expect(answer.status).toBe(422);
    expect(answer.json["detail"]).toMatchObject([
      { loc: ["path", "workflow_name"] },
      { loc: ["body", "components", 0, "with", "value", 0], type: "int_parsing_size" },
      { loc: ["body", "components", 0, "x"], type: "extra_forbidden" },
    ]);
  });

  test.each([
    ["%E0%A4%A", "string_unicode", "Input should be valid percent-encoded UTF-8"],
    ["%00", "string_pattern_mismatch", "String should not contain NUL"],
    ["x".repeat(256), "string_too_long", "String should have at most 255 characters"],
    ["%F0%9F%98%80".repeat(251), "string_too_long", "String should have at most 1000 bytes"],
  ])("refuses the name %s", async (segment, type, msg) => {
    const answer = await send("PUT", `/v1/workflows/${segment}`, echo());
    expect([answer.status, answer.json]).toMatchObject([
      422,
      { detail: [{ loc: ["path", "workflow_name"], type, msg }] },
    ]);
  });

  test.each([
    [undefined, "missing"],
    ["null", "dict_type"],
    ["[]", "dict_type"],
    ["{", "json_invalid"],
  ])("refuses the body %s", async (body, type) => {
    const answer = await send("PUT", at(unused()), body);
    expect(answer.status).toBe(422);
    expect(answer.json["detail"]).toMatchObject([{ type }]);
  });

  test("keeps __proto__ in a with", async () => {
    const name = unused();
    const body =
      '{"components":[{"key":"a","action":"transform","with":{"value":{"__proto__":{"x":1}}}}]}';
    expect((await send("PUT", at(name), body)).status).toBe(201);
    expect((await send("GET", at(name))).text).toContain('"value":{"__proto__":{"x":1}}');
  });
});
