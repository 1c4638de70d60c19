import { generateApiKey } from "@truerun/shared/api-keys";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defineWorkflow, insertRun, insertStep } from "../testing/run-rows.ts";
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
describe("get-run", () => {
  test("has exactly the published keys, times floored, steps in the order of their recording", async () => {
    const definition = await defineWorkflow(rig);
    const id = await insertRun(rig, definition, {
      status: "failed",
      startedAt: new Date("2025-05-07T00:00:00.999Z"),
      completedAt: new Date("2025-05-07T01:00:00.500Z"),
      errorCode: "component_failed",
      errorMessage: "it broke",
    });
    const [second, first] = [
      await insertStep(rig, id, { ordinal: 2, status: null }),
      await insertStep(rig, id, { ordinal: 1, status: "failed" }),
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
    const definition = await defineWorkflow(rig);
    const id = await insertRun(rig, definition);
    expect((await getRun(id)).json).toMatchObject({ completed_at: null, steps: [] });
    const path = `/v1/workflows/${definition.name}`;
    await rig.gateways[0].send("DELETE", path, { key: rig.org.key });
    await rig.gateways[0].send("PUT", path, { key: rig.org.key, body: echo() });
    expect((await getRun(id)).json).toMatchObject({
      workflow_name: null,
      workflow_definition_id: definition.definitionId,
    });
    expect((await get(`/v1/workflows/runs?workflow_name=${definition.name}`)).json["total"]).toBe(
      0,
    );
  });

  test("shows no step that a reset has left behind, and counts none", async () => {
    const definition = await defineWorkflow(rig);
    const id = await insertRun(rig, definition, { generation: 1 });
    await insertStep(rig, id, { ordinal: 0, status: "success", generation: 0 });
    const kept = await insertStep(rig, id, { ordinal: 0, status: null, generation: 1 });
    expect((await getRun(id)).json["steps"]).toMatchObject([{ step_id: kept }]);
    const list = await get(`/v1/workflows/runs?workflow_name=${definition.name}`);
    expect(list.json["data"]).toMatchObject([{ step_count: 1 }]);
  });

  test("adds what is asked for, the input as it was sent", async () => {
    const { name } = await defineWorkflow(rig);
    const input = '{ "b":1.0,"a" : -0,"s":"\\ud800"}';
    const started = await rig.gateways[0].send("POST", `/v1/workflows/${name}/run`, {
      key: rig.org.key,
      body: `{"input":${input}}`,
    });
    const id = String(started.json["workflow_run_id"]);
    await insertStep(rig, id, { ordinal: 1, status: "success" });
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
    const id = await insertRun(rig, await defineWorkflow(rig), {
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
    const answer = await getRun(
      await insertRun(rig, await defineWorkflow(rig)),
      "?include=input,everything",
    );
    expect([answer.status, answer.json]).toEqual([
      422,
      {
        detail: [
          {
            loc: ["query", "include", 1],
            msg: "Input should be 'input', 'error', 'details' or 'pending'",
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

  test("of another org's run is that same 404, to the byte", async () => {
    const id = await insertRun(rig, await defineWorkflow(rig));
    const foreign = await get(`/v1/workflows/runs/${id}`, rig.otherOrg.key);
    const missing = await get(`/v1/workflows/runs/cbwr_${"0".repeat(32)}`, rig.otherOrg.key);
    expect([foreign.status, foreign.text]).toEqual([404, missing.text]);
  });

  test("asked by many at the same time gives each caller what is its own, and nobody what is not", async () => {
    const definition = await defineWorkflow(rig);
    const [first, second] = [await insertRun(rig, definition), await insertRun(rig, definition)];
    const [plain, writer] = [rig.org.plainKey, rig.org.key];
    const [stranger, nobody] = [rig.otherOrg.key, generateApiKey().text];
    const missing = `cbwr_${"0".repeat(32)}`;
    const questions = [
      { id: first, key: plain, answer: [200, first] },
      { id: first, key: stranger, answer: [404, undefined] },
      { id: missing, key: plain, answer: [404, undefined] },
      { id: second, key: plain, answer: [200, second] },
      { id: first, key: nobody, answer: [401, undefined] },
      { id: second, key: writer, answer: [200, second] },
      { id: first, key: writer, answer: [200, first] },
    ];
    const all = Array.from({ length: 12 }, () => questions).flat();
    const answers = await Promise.all(
      all.map(({ id, key }) => get(`/v1/workflows/runs/${id}`, key)),
    );
    expect(answers.map(({ status, json }) => [status, json["workflow_run_id"]])).toEqual(
      all.map(({ answer }) => answer),
    );
  });
});
