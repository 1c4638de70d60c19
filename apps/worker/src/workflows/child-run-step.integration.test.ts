// What becomes of child runs, and what their parent runs say of it.
import { waitFor } from "@truerun/dev/testing/wait-for";
import type { ComponentDefinition } from "@truerun/shared/contracts/definition";
import type { JsonObject } from "@truerun/shared/contracts/json";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { childrenOf, runs, slow, startedChildOf } from "../testing/child-runs.ts";
import { component, type RunRow, type RunSpec } from "../testing/rig-runs.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";

let rig: WorkerRig;
beforeAll(async () => {
  rig = await createWorkerRig();
});
afterAll(() => rig.close());

const SLOW = slow(60_000);

/** Runs a workflow whose only component is given, in an org that has the other definitions as well. */
async function start(
  only: ComponentDefinition,
  others: RunSpec["others"] = {},
  given: Omit<RunSpec, "components"> = {},
): Promise<string> {
  return await rig.startRun({ components: [only], others, ...given });
}

const artifactOf = ({ id }: RunRow) => ({ artifact_type: "workflow_run", id, role: "result" });

test("a child run is a run like any other, of the same org; its step names it from the start", async () => {
  const id = await start(runs("constructor", { input: { n: 1, ["__proto__"]: [1] } }), {
    constructor: { components: [component("a", { action: "slow", with: { ms: 1_500 } })] },
  });
  const child = await startedChildOf(rig, id);
  const during = await rig.getRun(id);
  expect(during.steps).toMatchObject([{ status: null, artifacts: [artifactOf(child)] }]);
  const parent = await rig.finished(id);
  expect(parent.status).toBe("completed");
  expect(parent.steps).toMatchObject([
    {
      status: "success",
      message: null,
      artifacts: [artifactOf(child)],
      output: { workflow_run_id: child.id, status: "completed" },
    },
  ]);
  const ended = await rig.finished(child.id);
  expect(ended).toMatchObject({
    status: "completed",
    workflowName: "constructor",
    orgId: parent.orgId,
    parentRunId: id,
    parentTemporalRunId: parent.temporalRunId,
  });
  expect(JSON.stringify(ended.input)).toBe('{"n":1,"__proto__":[1]}');
  expect(ended.dispatchedAt).not.toBeNull();
  expect(ended.id).toMatch(/^cbwr_[0-9a-f]{12}7[0-9a-f]{3}8[0-9a-f]{15}$/);
  const described = await rig.client.workflow.getHandle(child.id).describe();
  expect(described.type).toBe("constructor");
  expect(described.searchAttributes["OrgId"]).toEqual([parent.orgId]);
  expect(described.searchAttributes["WorkflowName"]).toEqual(["constructor"]);
  expect(await described.staticSummary()).toBe(`${parent.orgId}: constructor`);
});

describe("a child run that does not complete fails its step, whose message says how it ended", () => {
  test("failed", async () => {
    const stop = component("stop", { action: "fail", with: { message: "no budget" } });
    const parent = await rig.finished(await start(runs("bad"), { bad: { components: [stop] } }));
    const [child] = await childrenOf(rig, parent.id);
    expect(child).toMatchObject({ status: "failed", errorMessage: "no budget" });
    expect(parent).toMatchObject({ status: "failed", errorCode: "component_failed" });
    expect(parent.steps).toMatchObject([
      {
        status: "failed",
        message: `The run ${child?.id} of 'bad' failed: no budget`,
        output: null,
        artifacts: [artifactOf(child as RunRow)],
      },
    ]);
  });

  test.each([
    ["cancel", "canceled", "was canceled."],
    ["terminate", "failed", "failed: The run was terminated in Temporal."],
  ] as const)("%s by an operator", async (action, _status, told) => {
    const id = await start(runs("slow"), { slow: SLOW });
    const child = await startedChildOf(rig, id);
    await rig.client.workflow.getHandle(child.id)[action]();
    const parent = await rig.finished(id);
    expect(parent.status).toBe("failed");
    expect(parent.steps).toMatchObject([
      {
        status: "failed",
        message: `The run ${child.id} of 'slow' ${told}`,
        artifacts: [artifactOf(child)],
      },
    ]);
  });

  test("over its timeout", async () => {
    const parent = await rig.finished(
      await start(runs("slow"), { slow: { ...SLOW, timeout: "1s" } }),
    );
    const [child] = await childrenOf(rig, parent.id);
    expect(parent.steps[0]?.message).toBe(
      `The run ${child?.id} of 'slow' failed: The run exceeded its timeout.`,
    );
  });
});

describe("cancellation goes down to the run that a step waits for", () => {
  const end: [string, (id: string) => Promise<unknown>, Partial<RunSpec>][] = [
    ["canceled", (id) => rig.client.workflow.getHandle(id).cancel(), {}],
    ["terminated", (id) => rig.client.workflow.getHandle(id).terminate(), {}],
    ["over its timeout", async () => undefined, { timeout: "3s" }],
    [
      "failed",
      async () => undefined,
      {
        components: [
          runs("middle"),
          component("wait", {
            action: "wait",
            with: { duration: "2s" },
            next: [{ to: "fail", on: "success" }],
          }),
          component("fail", { action: "fail", with: { message: "enough" } }),
        ],
      },
    ],
  ];
  test.each(end)("when the parent run is %s", async (_how, act, given) => {
    const id = await rig.startRun({
      components: [runs("middle")],
      others: { middle: { components: [runs("slow")] }, slow: SLOW },
      ...given,
    });
    const child = await startedChildOf(rig, id);
    const grandchild = await startedChildOf(rig, child.id);
    await act(id);
    for (const below of [grandchild, child]) {
      const ended = await rig.finished(below.id);
      expect(ended).toMatchObject({ status: "canceled", errorCode: "workflow_canceled" });
      expect(ended.steps).toMatchObject([{ status: "failed", message: "The run was canceled." }]);
    }
    const handle = rig.client.workflow.getHandle(id);
    await waitFor(
      "the parent's end",
      async () => (await handle.describe()).status.name !== "RUNNING",
    );
  });

  test("but not to one that it does not wait for", async () => {
    const id = await rig.startRun({
      components: [
        runs("brief", { wait: false }),
        component("slow", { action: "slow", with: { ms: 60_000 } }),
      ],
      others: { brief: { components: [component("a", { action: "slow", with: { ms: 3_000 } })] } },
    });
    const child = await startedChildOf(rig, id);
    await rig.client.workflow.getHandle(id).cancel();
    const parent = await rig.finished(id);
    expect(parent.status).toBe("canceled");
    expect(parent.steps[0]).toMatchObject({
      status: "success",
      output: { workflow_run_id: child.id, status: "started" },
      artifacts: [artifactOf(child)],
    });
    expect((await rig.finished(child.id)).status).toBe("completed");
  });
});

describe("no run is started, and the step says why", () => {
  test.each<[string, JsonObject, string]>([
    ["missing", { workflow_name: "nowhere" }, "Workflow 'nowhere' not found."],
    ["another org's", { workflow_name: "theirs" }, "Workflow 'theirs' not found."],
    ["disabled", { workflow_name: "off" }, "Workflow 'off' is disabled."],
    ["no name", { workflow_name: "\u0000" }, "Workflow '\ufffd' not found."],
    [
      "a reference to something else",
      { workflow_name: "${{ input.number }}" },
      "with: `workflow_name` is 5, which is no name",
    ],
    [
      "an input that is no object",
      { workflow_name: "off", input: "${{ input.number }}" },
      "with: `input` is 5, which is no object",
    ],
    [
      "a wait that is none",
      { workflow_name: "off", wait: "${{ input.number }}" },
      "with: `wait` is 5, which is no boolean",
    ],
  ])("%s", async (_why, given, message) => {
    await start(component("a"), { theirs: { components: [component("a")] } });
    const id = await start(
      component("run", { action: "run_workflow", with: given }),
      { off: { components: [component("a")], enabled: false } },
      { input: { number: 5 } },
    );
    const run = await rig.finished(id);
    expect(run.steps).toMatchObject([{ status: "failed", message, artifacts: [] }]);
    expect(await childrenOf(rig, id)).toEqual([]);
  });

  test("an input that is too large with its definition", async () => {
    const id = await start(runs("large", { input: { text: "x".repeat(600_000) } }), {
      large: { components: [component("a")], description: "x".repeat(1_500_000) },
    });
    const run = await rig.finished(id);
    expect(run.steps[0]?.message).toMatch(
      /^The input is too large for a run of 'large': with its definition it has \d+ bytes; \d+ are the most\.$/,
    );
  });

  test("a workflow that would run inside a run of its own", async () => {
    const id = await start(
      runs("b", { input: { next: "a" } }),
      { b: { components: [runs("${{ input.next }}")] } },
      { name: "a" },
    );
    const run = await rig.finished(id);
    const [child] = await childrenOf(rig, id);
    const told = "Not started: the workflow 'a' would run inside a run of its own: a -> b -> a.";
    expect(child?.steps).toMatchObject([{ status: "failed", message: told, artifacts: [] }]);
    expect(run.steps[0]?.message).toBe(
      `The run ${child?.id} of 'b' failed: Component 'run' failed: ${told}`,
    );
  });

  test("the seventeenth below another", async () => {
    const names = Array.from({ length: 18 }, (_, depth) => `w${depth}`);
    const others = Object.fromEntries(
      names.slice(1).map((name, index) => [name, { components: [runs(names[index + 2] ?? "")] }]),
    );
    const id = await start(runs("w1"), others, { name: "w0" });
    const run = await rig.finished(id);
    const chain = names.join(" -> ");
    expect(run.steps[0]?.message).toContain(
      `Not started: child runs would be more than 16 deep: ${chain}.`,
    );
    const rows = await rig.db.workflowRun.findMany({ where: { orgId: run.orgId } });
    expect(rows.map(({ workflowName, status }) => `${workflowName} ${status}`).sort()).toEqual(
      names
        .slice(0, 17)
        .map((name) => `${name} failed`)
        .sort(),
    );
  });
});
