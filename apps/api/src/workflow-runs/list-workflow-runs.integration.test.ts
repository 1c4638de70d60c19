import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defineWorkflow, insertRun, insertStep } from "../testing/run-rows.ts";
import { createTestRig, type TestRig } from "../testing/test-rig.ts";

let rig: TestRig;
beforeAll(async () => {
  rig = await createTestRig({ TEMPORAL_UI_URL: "http://127.0.0.1:8233/" });
});
afterAll(async () => {
  await rig.close();
});

const get = (path: string, key = rig.org.plainKey) => rig.gateways[1].send("GET", path, { key });
const list = (query: string) => get(`/v1/workflows/runs?${query}`);
describe("list-runs", () => {
  test("pages newest first with an exact total and filters by state and time, both bounds inclusive", async () => {
    const definition = await defineWorkflow(rig);
    const second = 1_746_576_000;
    const ids: string[] = [];
    for (const [offsetMs, status] of [
      [0, "completed"],
      [999, "failed"],
      [1_000, "started"],
      [1_999, "canceled"],
      [2_000, "started"],
    ] as const) {
      const startedAt = new Date(second * 1_000 + offsetMs);
      const end = status === "started" ? {} : { completedAt: startedAt };
      ids.push(await insertRun(rig, definition, { status, startedAt, ...end }));
    }
    await insertStep(rig, ids[4] ?? "", { ordinal: 1, status: null });
    await insertStep(rig, ids[4] ?? "", { ordinal: 2, status: null });
    const page = async (query: string) => {
      const { json, text, status } = await list(`workflow_name=${definition.name}&${query}`);
      expect(status, text).toBe(200);
      const data = json["data"] as { workflow_run_id: string }[];
      return { ...json, ids: data.map((entry) => ids.indexOf(entry.workflow_run_id)) };
    };
    expect(await page("")).toMatchObject({ total: 5, limit: 100, offset: 0, ids: [4, 3, 2, 1, 0] });
    expect(await page("limit=2&offset=1")).toMatchObject({
      total: 5,
      limit: 2,
      offset: 1,
      ids: [3, 2],
    });
    expect(await page("offset=9")).toMatchObject({ total: 5, ids: [] });
    expect((await page("status=started&status=failed")).ids).toEqual([4, 2, 1]);
    expect((await page(`created_at_after=${second + 1}`)).ids).toEqual([4, 3, 2]);
    expect((await page(`created_at_before=${second}`)).ids).toEqual([1, 0]);
    expect(
      (await page(`created_at_before=${second + 1}&created_at_after=${second + 1}`)).ids,
    ).toEqual([3, 2]);
    const [entry] = (await list(`workflow_name=${definition.name}`)).json["data"] as object[];
    expect(Object.entries(entry ?? {})).toEqual([
      ["workflow_run_id", ids[4]],
      ["workflow_name", definition.name],
      ["workflow_definition_id", definition.definitionId],
      ["status", "started"],
      ["started_at", second + 2],
      ["completed_at", null],
      ["step_count", 2],
    ]);
  });

  test.each([
    ["limit=0", ["limit"], "greater_than_equal"],
    ["limit=501", ["limit"], "less_than_equal"],
    ["limit=ten", ["limit"], "int_parsing"],
    ["limit=1.5", ["limit"], "int_parsing"],
    ["limit=1e2", ["limit"], "int_parsing"],
    ["limit=0x10", ["limit"], "int_parsing"],
    ["limit=%D9%A1", ["limit"], "int_parsing"],
    ["limit=", ["limit"], "int_parsing"],
    ["limit=9007199254740993", ["limit"], "int_parsing"],
    ["limit=1&limit=1", ["limit"], "int_type"],
    ["offset=-1", ["offset"], "greater_than_equal"],
    ["status=bogus", ["status", 0], "enum"],
    ["status=started&status=bogus", ["status", 1], "enum"],
    ["status=", ["status", 0], "enum"],
    ["status=started%2Cfailed", ["status", 0], "enum"],
    ["created_at_after=yesterday", ["created_at_after"], "int_parsing"],
    ["created_at_before=", ["created_at_before"], "int_parsing"],
    ["workflow_name=a&workflow_name=a", ["workflow_name"], "string_type"],
  ])("refuses %s", async (query, loc, type) => {
    const answer = await list(query);
    expect(answer.status).toBe(422);
    expect(answer.json["detail"]).toMatchObject([{ loc: ["query", ...loc], type }]);
  });

  test("lists all faults of a query at once", async () => {
    const answer = await list("limit=0&offset=-1&status=x&status=y&created_at_after=z");
    expect(answer.json["detail"]).toHaveLength(5);
  });

  test.each([
    "limit=%2B5",
    "limit=005",
    "offset=9007199254740991",
    "offset=-0",
    "created_at_after=9007199254740991",
    "created_at_after=-9007199254740991",
    "created_at_before=9007199254740991",
    "created_at_before=-9007199254740991",
    "unknown=1&unknown=2&__proto__=3&constructor=4",
    "%",
    "limit",
  ])("answers %s", async (query) => {
    const answer = await list(query);
    expect(answer.status, answer.text).toBe(query === "limit" ? 422 : 200);
  });

  test.each(["nope", "", "%00", "%ED%A0%80", "x".repeat(300)])(
    "of the unknown workflow %j is a 404",
    async (name) => {
      const answer = await list(`workflow_name=${name}`);
      expect([answer.status, answer.json]).toMatchObject([
        404,
        { detail: { code: "workflow_not_found" } },
      ]);
    },
  );

  test("holds nothing of another org", async () => {
    const definition = await defineWorkflow(rig);
    await insertRun(rig, definition);
    const other = await get("/v1/workflows/runs", rig.otherOrg.key);
    expect(other.json).toEqual({ data: [], total: 0, limit: 100, offset: 0 });
    const named = await get(
      `/v1/workflows/runs?workflow_name=${definition.name}`,
      rig.otherOrg.key,
    );
    expect(named.status).toBe(404);
  });
});
