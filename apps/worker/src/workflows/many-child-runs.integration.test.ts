// Child runs of many items, and those that an operator resets, or whose parent run is reset.
import { waitFor } from "@truerun/dev/testing/wait-for";
import type { ComponentDefinition } from "@truerun/shared/contracts/definition";
import type { JsonObject } from "@truerun/shared/contracts/json";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { childrenOf, runs, slow, startedChildOf } from "../testing/child-runs.ts";
import { repairRun } from "../reconcile/repair-run.ts";
import { component, type RunRow } from "../testing/rig-runs.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";

let rig: WorkerRig;
beforeAll(async () => {
  rig = await createWorkerRig();
});
afterAll(() => rig.close());

describe.each([
  ["inline", 50],
  ["in batches", 101],
])("for each item a child run: %s", (_name, count) => {
  const items = Array.from({ length: count }, (_, index) => index);
  const each = (name: string): ComponentDefinition => ({
    ...runs(name, { input: { n: "${{ item }}" } }),
    for_each: items,
    max_concurrency: 50,
  });

  test("all run, once each", async () => {
    const one = { components: [component("a", { with: { value: "${{ input.n }}" } })] };
    const parent = await rig.finished(
      await rig.startRun({ components: [each("one")], others: { one } }),
    );
    expect(parent.errorMessage).toBeNull();
    const children = await childrenOf(rig, parent.id);
    expect(children.map(({ status }) => status)).toEqual(items.map(() => "completed"));
    expect(
      children.map(({ steps }) => steps[0]?.output).sort((a, b) => Number(a) - Number(b)),
    ).toEqual(items);
    const named = parent.steps.map(({ output }) => (output as JsonObject)["workflow_run_id"]);
    expect(new Set(named)).toEqual(new Set(children.map(({ id }) => id)));
    expect(
      children.every(({ parentTemporalRunId }) => parentTemporalRunId === parent.temporalRunId),
    ).toBe(true);
  });

  test("all are canceled with their parent run", async () => {
    const id = await rig.startRun({ components: [each("slow")], others: { slow: slow(60_000) } });
    await waitFor("50 child runs under way", async () => {
      const children = await childrenOf(rig, id);
      return children.filter(({ steps }) => steps.length > 0).length === 50;
    });
    await rig.client.workflow.getHandle(id).cancel();
    const parent = await rig.finished(id);
    expect(parent.status).toBe("canceled");
    expect(new Set(parent.steps.map(({ message }) => message))).toEqual(
      new Set(["The run was canceled."]),
    );
    expect(parent.steps.every(({ artifacts }) => (artifacts as unknown[]).length === 1)).toBe(true);
    for (const { id: child } of await childrenOf(rig, id)) {
      expect((await rig.finished(child)).status).toBe("canceled");
    }
  });
});

describe("resets", () => {
  /** A run whose second component waits for a child run, which is under way. */
  async function startPair(ms = 3_000): Promise<{ parent: RunRow; child: RunRow }> {
    const first = component("first", { next: [{ to: "run", on: "success" }] });
    const id = await rig.startRun({
      components: [first, runs("slow")],
      others: { slow: slow(ms) },
    });
    const child = await startedChildOf(rig, id);
    await waitFor("the parent's rest", async () => {
      const { raw } = await rig.client.workflow.getHandle(id).describe();
      return raw.pendingWorkflowTask == null;
    });
    return { parent: await rig.getRun(id), child };
  }

  /** Resets a run to its nth workflow task. */
  async function resetTo(run: RunRow, task: number): Promise<string> {
    const { events } = await rig.client.workflow.getHandle(run.id).fetchHistory();
    const tasks = events?.filter((event) => event.workflowTaskCompletedEventAttributes != null);
    return await rig.reset(run, Number(tasks?.[task]?.eventId));
  }

  async function endOf(run: RunRow, temporalRunId: string): Promise<RunRow> {
    return await waitFor("the end of the new Temporal run", async () => {
      const row = await rig.getRun(run.id);
      return row.temporalRunId === temporalRunId && row.status !== "started" && row;
    });
  }

  const named = (run: RunRow) =>
    ((run.steps[1]?.artifacts ?? []) as { id: string }[]).map(({ id }) => id);

  test("behind the start of the child: the child is taken over", async () => {
    const { parent, child } = await startPair();
    const ended = await endOf(parent, await resetTo(parent, 2));
    expect(ended.status).toBe("completed");
    expect(named(ended)).toEqual([child.id]);
    const [only, ...others] = await childrenOf(rig, parent.id);
    expect(only).toMatchObject({ status: "completed", generation: 0 });
    expect(others).toEqual([]);
  });

  test("behind the start of the child, then canceled: so is the child", async () => {
    const { parent, child } = await startPair(60_000);
    await resetTo(parent, 2);
    const since = Date.now();
    await rig.client.workflow.getHandle(parent.id).cancel();
    expect((await rig.finished(child.id)).status).toBe("canceled");
    const ended = await rig.finished(parent.id);
    expect(ended).toMatchObject({ status: "canceled", generation: 1 });
    expect(ended.steps[1]?.message).toBe("The run was canceled.");
    // A child that does not answer is given up after half a minute.
    expect(Date.now() - since).toBeLessThan(20_000);
  });

  test("behind the start of the child, then terminated: the child is canceled", async () => {
    const { parent, child } = await startPair(60_000);
    await resetTo(parent, 2);
    await rig.client.workflow.getHandle(parent.id).terminate("no more");
    await repairRun(rig, parent.id);
    expect((await rig.finished(child.id)).status).toBe("canceled");
    expect((await rig.finished(parent.id)).status).toBe("failed");
  });

  test.each([
    ["to the task that starts the child", 1],
    ["to the first task", 0],
  ])("%s: another child is started, the first one goes on alone", async (_where, task) => {
    const { parent, child } = await startPair();
    const temporalRunId = await resetTo(parent, task);
    const ended = await endOf(parent, temporalRunId);
    expect(ended.status).toBe("completed");
    const children = await childrenOf(rig, parent.id);
    const second = children.find(({ id }) => id !== child.id);
    expect(children).toHaveLength(2);
    expect(named(ended)).toEqual([second?.id]);
    expect(second).toMatchObject({ status: "completed", parentTemporalRunId: temporalRunId });
    expect((await rig.finished(child.id)).status).toBe("completed");
  });

  test("of the child: its parent run waits for what it is now", async () => {
    const { parent, child } = await startPair();
    const ended = await endOf(child, await resetTo(child, 0));
    expect(ended).toMatchObject({ status: "completed", generation: 1 });
    const after = await rig.finished(parent.id);
    expect(after).toMatchObject({ status: "completed", generation: 0 });
    expect(named(after)).toEqual([child.id]);
    expect(after.steps[1]?.updatedAt.getTime()).toBeGreaterThanOrEqual(
      ended.completedAt?.getTime() ?? Number.POSITIVE_INFINITY,
    );
  });
});
