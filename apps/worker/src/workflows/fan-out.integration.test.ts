import { waitFor } from "@truerun/dev/testing/wait-for";
import type { ComponentDefinition } from "@truerun/shared/contracts/definition";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { component, retryEvery, type RunRow } from "../testing/rig-runs.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";

let rig: WorkerRig;

beforeAll(async () => {
  rig = await createWorkerRig();
});

afterAll(() => rig.close());

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

function stepsOf(run: RunRow): string[] {
  return run.steps.map(({ stepKey, status }) => `${stepKey}: ${status}`);
}

function each(given: Partial<ComponentDefinition>): ComponentDefinition {
  return component("each", { for_each: "${{ input.items }}", max_concurrency: 5, ...given });
}

async function runEach(items: unknown, given: Partial<ComponentDefinition>): Promise<RunRow> {
  const after = component("after", { with: { value: "${{ steps.each.output }}" } });
  const id = await rig.startRun({
    input: { items: items as never },
    components: [each({ next: [{ to: "after", on: "success" }], ...given }), after],
  });
  return await rig.finished(id);
}

describe.each([
  ["inline", 7],
  ["in batches", 230],
])("for_each %s", (_name, count) => {
  test("gives one step an item and collects the outputs in the items' order", async () => {
    const items = range(count).map((n) => ({ n }));
    const run = await runEach(items, {
      max_concurrency: 20,
      with: { value: ["${{ item.n }}", "${{ index }}"] },
    });
    expect(run.status).toBe("completed");
    expect(stepsOf(run)).toEqual([
      ...range(count).map((n) => `each[${n}]: success`),
      "after: success",
    ]);
    expect(run.steps.map(({ itemIndex }) => itemIndex)).toEqual([...range(count), null]);
    expect(run.steps.map(({ ordinal }) => ordinal)).toEqual(range(count + 1));
    expect(run.steps.at(-1)?.output).toEqual(range(count).map((n) => [n, n]));
  });

  test("fails with the first item that does; nothing more starts, the others are canceled", async () => {
    // The items before it are done, those after it would take a minute, and not all of them fit beside it.
    const bad = count - 4;
    const items = range(count).map((n) => {
      if (n === bad) return { flaky: true };
      return { ms: n > bad ? 60_000 : 1 };
    });
    const run = await runEach(items, {
      action: "slow_or_bad",
      max_concurrency: 2,
      with: { item: "${{ item }}" },
    });
    expect(run).toMatchObject({
      status: "failed",
      errorCode: "component_failed",
      errorMessage: `Component 'each' failed: each[${bad}]: planned`,
    });
    const failed = run.steps.filter(({ status }) => status === "failed");
    const others = run.steps.filter(({ status }) => status !== "failed");
    expect(others.map(({ status }) => status)).toEqual(range(bad).map(() => "success"));
    // The next one may have begun before it failed; the one after that cannot.
    expect(failed.map(({ stepKey, message }) => `${stepKey} ${message}`)).toEqual(
      [`each[${bad}] planned`, `each[${bad + 1}] Canceled because each[${bad}] failed.`].slice(
        0,
        failed.length,
      ),
    );
    expect(failed.length).toBeGreaterThan(0);
  });

  test("names the item that failed, also where items before it are still under way", async () => {
    const bad = 3;
    const items = range(count).map((n) => (n === bad ? { flaky: true } : { ms: 60_000 }));
    const run = await runEach(items, {
      action: "slow_or_bad",
      with: { item: "${{ item }}" },
    });
    expect(run.errorMessage).toBe(`Component 'each' failed: each[${bad}]: planned`);
    const messages = run.steps.map(({ stepKey, message }) => `${stepKey} ${message}`);
    expect(messages.slice(0, 4)).toEqual([
      ...range(bad).map((n) => `each[${n}] Canceled because each[${bad}] failed.`),
      `each[${bad}] planned`,
    ]);
  });

  test("goes on past failures where it is told to: null stands for a failed item's output", async () => {
    const items = range(count).map((n) => ({ n, bad: n % 3 === 1 }));
    const run = await runEach(items, {
      action: "slow_or_bad",
      with: { item: { flaky: "${{ item.bad }}", ms: 1 } },
      retry: retryEvery("1s", 1),
      on_failure: "continue",
    });
    expect(run.status).toBe("completed");
    const expected = range(count).map((n) => (n % 3 === 1 ? null : { waited: 1 }));
    expect(run.steps.at(-1)?.output).toEqual(expected);
    expect(run.steps.filter(({ status }) => status === "failed")).toHaveLength(
      expected.filter((output) => output === null).length,
    );
  });

  test("skips the items whose references lead to nothing", async () => {
    const run = await runEach(
      range(count).map((n) => (n === 2 ? {} : { n })),
      { with: { value: "${{ item.n }}" } },
    );
    expect(run.status).toBe("completed");
    expect(run.steps[2]).toMatchObject({
      stepKey: "each[2]",
      status: "skipped",
      message: "Nothing found at ${{ item.n }}",
    });
    expect(run.steps.at(-1)?.output).toEqual(range(count).map((n) => (n === 2 ? null : n)));
  });

  test("is canceled with its run: no step stays open", async () => {
    const id = await rig.startRun({
      input: { items: range(count) },
      components: [each({ action: "slow", with: { ms: 60_000 } })],
    });
    await waitFor("five items under way", async () => (await rig.getRun(id)).steps.length === 5);
    await rig.client.workflow.getHandle(id).cancel();
    const run = await rig.finished(id);
    expect(run.status).toBe("canceled");
    expect(run.steps.map(({ status, message }) => `${status}: ${message}`)).toEqual(
      range(5).map(() => "failed: The run was canceled."),
    );
  });

  test.each(["fail_run", "continue"] as const)(
    "the action fail ends the run with its own message: %s",
    async (onFailure) => {
      const run = await runEach(range(count), {
        action: "fail",
        with: { message: "no ${{ item }}" },
        on_failure: onFailure,
      });
      expect(run).toMatchObject({
        status: "failed",
        errorCode: "workflow_failed",
        errorMessage: "no 0",
      });
    },
  );
});

test("an empty list is a success without steps", async () => {
  const run = await runEach([], {});
  expect(run.status).toBe("completed");
  expect(stepsOf(run)).toEqual(["after: success"]);
  expect(run.steps[0]?.output).toEqual([]);
});

test.each<[string, unknown, string]>([
  ["no list", { a: 1 }, "`for_each` (${{ input.items }}) is an object; a list is needed."],
  ["null", null, "`for_each` (${{ input.items }}) is null; a list is needed."],
  [
    "more than 10,000 items",
    range(10_001),
    "`for_each` (${{ input.items }}) has 10001 items; 10000 are the most.",
  ],
])("for_each over %s is one failed step", async (_name, items, message) => {
  const run = await runEach(items, {});
  expect(run.status).toBe("failed");
  expect(run.steps.map(({ stepKey, status, message: said }) => [stepKey, status, said])).toEqual([
    ["each", "failed", message],
  ]);
});

test("for_each over a reference to nothing is one skipped step", async () => {
  const run = await runEach([1], { for_each: "${{ input.nothing }}" });
  expect(run.status).toBe("completed");
  expect(run.steps.map(({ stepKey, status, message }) => [stepKey, status, message])).toEqual([
    ["each", "skipped", "Nothing found at ${{ input.nothing }}"],
  ]);
});

test("an item whose input is too large is a failed step, the others go on", async () => {
  const run = await runEach(["a", "x".repeat(600_000), "b"], {
    with: { value: ["${{ item }}", "${{ item }}"] },
    on_failure: "continue",
  });
  expect(run.status).toBe("completed");
  expect(run.steps[1]).toMatchObject({
    status: "failed",
    message: "The component's resolved input has 1200017 bytes; 1048576 are the most.",
  });
  expect(run.steps.at(-1)?.output).toEqual([["a", "a"], null, ["b", "b"]]);
});

test("large inputs wait for another workflow task instead of failing together", async () => {
  const text = "x".repeat(700_000);
  const id = await rig.startRun({
    input: { text },
    components: [
      each({
        for_each: range(8),
        max_concurrency: 8,
        action: "measure",
        with: { value: "${{ input.text }}" },
      }),
    ],
  });
  const run = await rig.finished(id);
  expect(run.errorMessage).toBeNull();
  expect(stepsOf(run)).toEqual(range(8).map((n) => `each[${n}]: success`));
});

test("never more than 200 activities are pending, however much starts together", async () => {
  const keys = ["a", "b", "c"];
  const id = await rig.startRun({
    components: keys.map((key) =>
      component(key, {
        action: "slow",
        for_each: range(100),
        max_concurrency: 100,
        with: { ms: 500 },
      }),
    ),
  });
  const seen: number[] = [];
  await waitFor("the end", async () => {
    const { raw, status } = await rig.client.workflow.getHandle(id).describe();
    seen.push(raw.pendingActivities?.length ?? 0);
    return status.name !== "RUNNING";
  });
  expect(Math.max(...seen)).toBe(200);
  const run = await rig.finished(id);
  expect(run.steps.filter(({ status }) => status === "success")).toHaveLength(300);
});

test("an item that fails ends those that wait for a place; others get it", async () => {
  const each = { for_each: range(90), max_concurrency: 90 };
  // These wait for their second attempts, and keep 180 of the 200 places.
  const waiting = { ...each, action: "flaky", retry: retryEvery("1m", 2) };
  const id = await rig.startRun({
    components: [
      component("first", waiting),
      component("second", waiting),
      component("third", {
        ...each,
        action: "slow_or_bad",
        for_each: range(90).map((n) => (n === 3 ? { flaky: true } : { ms: 60_000 })),
        with: { item: "${{ item }}" },
        next: [{ to: "rescue", on: "failure" }],
      }),
      component("fourth", each),
      component("rescue"),
    ],
  });
  const ended = (run: RunRow, key: string, status: string): number =>
    run.steps.filter((step) => step.stepKey.startsWith(key) && step.status === status).length;
  await waitFor("all that need not wait", async () => {
    const run = await rig.getRun(id);
    return ended(run, "fourth", "success") === 90 && ended(run, "rescue", "success") === 1;
  });
  const handle = rig.client.workflow.getHandle(id);
  await handle.cancel();
  const run = await rig.finished(id);
  expect([run.status, ended(run, "third", "failed"), ended(run, "third", "success")]).toEqual([
    "canceled",
    20,
    0,
  ]);
  const records = await rig.replayer.replay(await handle.fetchHistory(), id);
  expect(records.at(-1)).toMatchObject({ kind: "end", status: "canceled" });
});

describe("an output that is too large together", () => {
  test.each([
    ["inline", 12, 800_000, 8 * 1024 * 1024],
    ["in a batch", 101, 20_000, 1536 * 1024],
  ])("is a failed step of the component: %s", async (_name, count, size, limit) => {
    const run = await runEach(range(count), {
      action: "produce",
      with: { size },
      max_concurrency: 3,
    });
    expect(run.status).toBe("failed");
    const own = run.steps.find(({ stepKey }) => stepKey === "each");
    expect(own?.status).toBe("failed");
    expect(own?.message).toMatch(
      new RegExp(`^The collected output of the items has \\d+ bytes; ${limit} are the most\\.$`),
    );
  });
});
