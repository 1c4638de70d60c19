import { randomUUID } from "node:crypto";
import { newId } from "@truerun/shared/ids";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { echo } from "../testing/test-gateway.ts";
import { createTestRig, type TestRig } from "../testing/test-rig.ts";

let rig: TestRig;
beforeAll(async () => {
  rig = await createTestRig({ TEMPORAL_UI_URL: "http://127.0.0.1:8233/" });
});
afterAll(async () => {
  await rig.close();
});

const get = (path: string, key = rig.org.plainKey) => rig.gateways[1].send("GET", path, { key });
const getRun = (id: string, query = "") => get(`/v1/workflows/runs/${id}${query}`);
const list = (query: string) => get(`/v1/workflows/runs?${query}`);

async function define(): Promise<{ name: string; definitionId: string }> {
  const name = `w-${randomUUID()}`;
  const options = { key: rig.org.key, body: echo() };
  const saved = await rig.gateways[0].send("PUT", `/v1/workflows/${name}`, options);
  return { name, definitionId: String(saved.json["workflow_definition_id"]) };
}

interface NewRun {
  startedAt?: Date;
  status?: string;
  completedAt?: Date;
  errorCode?: string;
  errorMessage?: string;
}

/** A row as the gateway and the mirror would have left it. */
async function insertRun(definition: { name: string; definitionId: string }, run: NewRun = {}) {
  const id = newId("cbwr");
  await rig.db.workflowRun.create({
    data: {
      id,
      orgId: rig.org.orgId,
      definitionId: definition.definitionId,
      definitionVersion: 1,
      workflowName: definition.name,
      input: { n: 1 },
      requestHash: new Uint8Array(32),
      dispatchedAt: new Date(),
      ...run,
    },
  });
  return id;
}

async function insertStep(runId: string, step: { ordinal: number; status: string | null }) {
  const id = `cbwrs_${randomUUID().replaceAll("-", "")}`;
  await rig.db.workflowRunStep.create({
    data: {
      id,
      runId,
      ...step,
      stepKey: `step_${step.ordinal}`,
      componentId: newId("cbwc"),
      componentName: "Send questionnaire",
      actionType: "send_questionnaire",
      message: step.status === "failed" ? "it broke" : null,
      artifacts: [{ role: "result", id: "x1", artifact_type: "vendor" }],
      output: { a: [1, "\u0000"] },
      attempt: 2,
      startedAtMs: 1_746_576_540_123n,
      finishedAtMs: 1_746_576_541_456n,
      createdAt: new Date("2025-05-07T00:09:00.999Z"),
      updatedAt: new Date("2025-05-07T00:10:00.001Z"),
      temporalRunId: "t",
      generation: 0,
      mirrorLength: 1,
      mirrorTimeMs: 1n,
      mirrorSeq: 1,
      digest: 1n,
    },
  });
  return id;
}

describe("get-run", () => {
  test("has exactly the published keys, times floored, steps in the order of their recording", async () => {
    const definition = await define();
    const id = await insertRun(definition, {
      status: "failed",
      startedAt: new Date("2025-05-07T00:00:00.999Z"),
      completedAt: new Date("2025-05-07T01:00:00.500Z"),
      errorCode: "component_failed",
      errorMessage: "it broke",
    });
    const [second, first] = [
      await insertStep(id, { ordinal: 2, status: null }),
      await insertStep(id, { ordinal: 1, status: "failed" }),
    ];
    const answer = await getRun(id);
    expect(answer.status, answer.text).toBe(200);
    expect(Object.keys(answer.json)).toEqual([
      "workflow_run_id",
      "workflow_name",
      "workflow_definition_id",
      "status",
      "started_at",
      "completed_at",
      "steps",
    ]);
    expect(answer.json).toMatchObject({
      workflow_run_id: id,
      workflow_name: definition.name,
      workflow_definition_id: definition.definitionId,
      status: "failed",
      started_at: 1_746_576_000,
      completed_at: 1_746_579_600,
      steps: [
        { step_id: first, status: "failed", message: "it broke" },
        { step_id: second, status: null, message: null },
      ],
    });
    expect(answer.text).toContain(
      '"component_name":"Send questionnaire","action_type":"send_questionnaire","status":"failed","message":"it broke","artifacts":[{"artifact_type":"vendor","id":"x1","role":"result"}],"created_at":1746576540,"updated_at":1746576600}',
    );
    expect(answer.headers["link"]).toBe(
      `<http://127.0.0.1:8233/namespaces/default/workflows/${id}>; rel="describedby"`,
    );
  });

  test("of a run under way has neither an end nor steps, and no name once its definition is gone", async () => {
    const definition = await define();
    const id = await insertRun(definition);
    expect((await getRun(id)).json).toMatchObject({ completed_at: null, steps: [] });
    const path = `/v1/workflows/${definition.name}`;
    await rig.gateways[0].send("DELETE", path, { key: rig.org.key });
    await rig.gateways[0].send("PUT", path, { key: rig.org.key, body: echo() });
    expect((await getRun(id)).json).toMatchObject({
      workflow_name: null,
      workflow_definition_id: definition.definitionId,
    });
    expect((await list(`workflow_name=${definition.name}`)).json["total"]).toBe(0);
  });

  test("adds what is asked for, the input as it was sent", async () => {
    const { name } = await define();
    const input = '{ "b":1.0,"a" : -0,"s":"\\ud800"}';
    const started = await rig.gateways[0].send("POST", `/v1/workflows/${name}/run`, {
      key: rig.org.key,
      body: `{"input":${input}}`,
    });
    const id = String(started.json["workflow_run_id"]);
    await insertStep(id, { ordinal: 1, status: "success" });
    const answer = await getRun(id, "?include=details,input&include=error");
    expect(answer.text).toContain(`,"input":${input},"error":null}`);
    expect(answer.json["steps"]).toMatchObject([
      {
        details: {
          attempt: 2,
          output: { a: [1, "\u0000"] },
          started_at_ms: 1_746_576_540_123,
          finished_at_ms: 1_746_576_541_456,
          key: "step_1",
          item_index: null,
        },
      },
    ]);
  });

  test("tells why a run failed", async () => {
    const id = await insertRun(await define(), {
      status: "failed",
      completedAt: new Date(),
      errorCode: "component_failed",
      errorMessage: "it broke",
    });
    const answer = await getRun(id, "?include=error");
    expect(answer.json["error"]).toEqual({ code: "component_failed", message: "it broke" });
    expect(answer.json).not.toHaveProperty("input");
  });

  test("names an unknown word to include", async () => {
    const answer = await getRun(await insertRun(await define()), "?include=input,everything");
    expect([answer.status, answer.json]).toEqual([
      422,
      {
        detail: [
          {
            loc: ["query", "include", 1],
            msg: "Input should be 'input', 'error' or 'details'",
            type: "enum",
          },
        ],
      },
    ]);
  });

  test.each(["nope", "cbwr_", "cbwr_ABC", "cbwr_%00", "%E0%A4%A", `cbwr_${"0".repeat(32)}`])(
    "of %s is the 404 of a run that does not exist",
    async (id) => {
      const answer = await getRun(id);
      const detail = { code: "workflow_run_not_found", message: "Workflow run not found." };
      expect([answer.status, answer.json]).toEqual([404, { detail }]);
    },
  );

  test("of another organization's run is that same 404, to the byte", async () => {
    const id = await insertRun(await define());
    const foreign = await get(`/v1/workflows/runs/${id}`, rig.otherOrg.key);
    const missing = await get(`/v1/workflows/runs/cbwr_${"0".repeat(32)}`, rig.otherOrg.key);
    expect([foreign.status, foreign.text]).toEqual([404, missing.text]);
  });
});

describe("list-runs", () => {
  test("pages newest first with an exact total and filters by state and time, both bounds inclusive", async () => {
    const definition = await define();
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
      ids.push(await insertRun(definition, { status, startedAt, ...end }));
    }
    await insertStep(ids[4] ?? "", { ordinal: 1, status: null });
    await insertStep(ids[4] ?? "", { ordinal: 2, status: null });
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

  test("holds nothing of another organization", async () => {
    const definition = await define();
    await insertRun(definition);
    const other = await get("/v1/workflows/runs", rig.otherOrg.key);
    expect(other.json).toEqual({ data: [], total: 0, limit: 100, offset: 0 });
    const named = await get(
      `/v1/workflows/runs?workflow_name=${definition.name}`,
      rig.otherOrg.key,
    );
    expect(named.status).toBe(404);
  });
});
