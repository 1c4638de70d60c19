import { ApplicationFailure, CancelledFailure } from "@temporalio/common";
import { MockActivityEnvironment } from "@temporalio/testing";
import { createLogger } from "@truerun/shared/logger";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { type Component, type ComponentContext, defineComponent } from "./component.ts";
import { toActivity } from "./component-activity.ts";
import type { ComponentsConfig } from "./components-config.ts";
import type { EarlierAttempts, LocalAttempt } from "./local-attempt.ts";
import { failureOf, runComponent } from "./component-kit/run-component.ts";

/** A component whose result nothing but the wrapper checks. */
function returning(
  run: (context: ComponentContext<unknown>) => unknown,
  output: z.ZodType = z.unknown(),
): Component {
  return defineComponent({
    action: "probe",
    title: "Probe",
    description: "Probes",
    input: z.unknown(),
    output,
    run: async (context) => (await run(context)) as { output: unknown },
  });
}

describe("the envelope", () => {
  it("holds output, artifacts and the attempt's times", async () => {
    const artifact = { artifact_type: "vendor", id: "cbvndr_1", role: "trigger" };
    const before = Date.now();
    const envelope = await runComponent(
      returning(() => ({ output: { a: 1, b: undefined }, artifacts: [artifact] })),
      { input: {}, attempt: 3 },
    );
    const { started_at_ms: startedAt, finished_at_ms: finishedAt, ...rest } = envelope;
    expect(rest).toEqual({
      output: { a: 1 },
      artifacts: [artifact],
      attempt: 3,
      heartbeats: [],
      logs: [],
    });
    expect(startedAt).toBeGreaterThanOrEqual(before);
    expect(finishedAt).toBeGreaterThanOrEqual(startedAt);
  });

  it("is made of the parsed output", async () => {
    const component = returning(
      () => ({ output: { n: "7", more: 1 } }),
      z.object({ n: z.coerce.number() }),
    );
    expect((await runComponent(component, { input: {} })).output).toEqual({ n: 7 });
    expect(
      (
        await runComponent(
          returning(() => ({ output: undefined })),
          { input: {} },
        )
      ).output,
    ).toBeNull();
  });

  it.each([
    [undefined, "must return an object"],
    [
      { output: 1, artifacts: [{ artifact_type: "", id: "x", role: "trigger" }] },
      "artifacts[0].artifact_type",
    ],
    [
      { output: 1, artifacts: [{ artifact_type: "a", id: "x".repeat(256), role: "result" }] },
      "artifacts[0].id",
    ],
    [
      { output: 1, artifacts: [{ artifact_type: "a", id: "x", role: "cause" }] },
      "artifacts[0].role",
    ],
    [
      {
        output: 1,
        artifacts: Array.from({ length: 1_001 }, () => ({
          artifact_type: "a",
          id: "x",
          role: "result",
        })),
      },
      "artifacts: ",
    ],
    [{ output: { f: () => 1 } }, "output.f: a function"],
    [{ output: { n: Number.NaN } }, "output.n: NaN"],
    [{ output: [10n] }, "output[0]: a BigInt"],
  ])("refuses result %#", async (result, message) => {
    const failure = await failureOf(
      runComponent(
        returning(() => result),
        { input: {} },
      ),
    );
    expect(failure).toMatchObject({ type: "InvalidOutput", nonRetryable: true });
    expect(failure.message).toContain(message);
  });

  it("is at most 1 MiB", async () => {
    const output = "x".repeat(1_048_576 - 200);
    expect(
      (
        await runComponent(
          returning(() => ({ output })),
          { input: {} },
        )
      ).output,
    ).toHaveLength(output.length);
    const failure = await failureOf(
      runComponent(
        returning(() => ({ output: `${output}${"é".repeat(100)}` })),
        { input: {} },
      ),
    );
    expect(failure).toMatchObject({ type: "OutputTooLarge", nonRetryable: true });
  });
});

describe("input and output schemas", () => {
  const strict = defineComponent({
    action: "probe",
    title: "Probe",
    description: "Probes",
    input: z.strictObject({ ids: z.array(z.string()), "odd name": z.number() }),
    output: z.strictObject({ n: z.number() }),
    run: () => Promise.resolve({ output: { n: "1" as unknown as number } }),
  });

  it("name the path of a bad input, and do not run the component", async () => {
    const failure = await failureOf(
      runComponent(strict, { rawInput: { ids: ["a", 2], "odd name": "x" } }),
    );
    expect(failure).toMatchObject({ type: "InvalidInput", nonRetryable: true });
    expect(failure.message).toMatch(/^with\.ids\[1\]: .*; with\["odd name"\]: /);
    expect((await failureOf(runComponent(strict, { rawInput: null }))).message).toMatch(/^with: /);
  });

  it("name the path of a bad output", async () => {
    const failure = await failureOf(runComponent(strict, { input: { ids: [], "odd name": 1 } }));
    expect(failure).toMatchObject({ type: "InvalidOutput", nonRetryable: true });
    expect(failure.message).toMatch(/^output\.n: /);
  });
});

describe("failures", () => {
  const hostile = new Error("hidden");
  for (const name of ["stack", "message", "name", "cause"]) {
    Object.defineProperty(hostile, name, {
      get() {
        throw new Error("getter");
      },
    });
  }
  const trap = (): never => {
    throw new Error("trap");
  };
  const proxy: unknown = new Proxy(new Error("x"), { get: trap, getPrototypeOf: trap });
  const circular = new Error("outer", { cause: new Error("inner") });
  (circular.cause as Error).cause = circular;

  it.each([
    [() => undefined, "The component threw undefined"],
    [() => null, "The component threw null"],
    [() => "plain text", "plain text"],
    [() => "", "The component threw an empty text"],
    [() => ({ code: 7 }), 'The component threw {"code":7}'],
    [() => Object.create(null), "The component threw {}"],
    [() => 5n, "The component threw 5"],
    [() => Symbol("s"), "The component threw Symbol(s)"],
    [() => hostile, "The component threw an unreadable error"],
    [() => proxy, "The component threw something unreadable"],
    [() => Object.freeze(new Error("frozen")), "frozen"],
    [() => circular, "outer: inner"],
    [
      () => new Error("fetch failed", { cause: new Error("connect ECONNREFUSED") }),
      "fetch failed: connect ECONNREFUSED",
    ],
    [() => new AggregateError([new Error("a"), new Error("b")]), "a; b"],
    [() => new TypeError("lone \ud800 surrogate"), "lone \ufffd surrogate"],
  ])("of kind %# become one kind, with times", async (thrown, message) => {
    const component = returning(() => {
      throw thrown();
    });
    const failure = await failureOf(runComponent(component, { input: {} }));
    expect(failure.message).toBe(message);
    expect(failure.nonRetryable).toBe(false);
    expect(failure.cause).toBeUndefined();
    expect(failure.details).toEqual([
      { attempt: 1, started_at_ms: expect.any(Number), finished_at_ms: expect.any(Number) },
    ]);
  });

  it("keep type and retryability, and are of sane length", async () => {
    const component = returning(() => {
      throw ApplicationFailure.nonRetryable("x".repeat(5_000), "UnknownVendor", "lost");
    });
    const failure = await failureOf(runComponent(component, { input: {} }));
    expect(failure).toMatchObject({ type: "UnknownVendor", nonRetryable: true });
    expect(failure.message).toHaveLength(2_000);
    expect(failure.details).toHaveLength(1);
  });
});

describe("an attempt", () => {
  it("has a key that is equal across attempts", async () => {
    const component = returning(({ idempotencyKey, attempt, run, stepKey }) => ({
      output: { idempotencyKey, attempt, run, stepKey },
    }));
    for (const attempt of [1, 2]) {
      const { output } = await runComponent(component, { input: {}, attempt });
      expect(output).toEqual({
        idempotencyKey: "cbwr_test:step",
        attempt,
        run: { id: "cbwr_test" },
        stepKey: "step",
      });
    }
  });

  it("of a batch has the run's key, not the batch's", async () => {
    const component = returning(({ idempotencyKey, run }) => ({ output: { idempotencyKey, run } }));
    const environment = new MockActivityEnvironment({
      activityId: "each[3]",
      workflowExecution: { workflowId: "cbwr_test/each[0-99]/1f2e3d4c", runId: "temporal-run" },
    });
    const activity = toActivity(component, {
      config: {} as ComponentsConfig,
      logger: createLogger({ name: "test", level: "silent" }),
    });
    expect(await environment.run(activity, {})).toMatchObject({
      output: { idempotencyKey: "cbwr_test:each[3]", run: { id: "cbwr_test" } },
    });
  });

  it("of a local step is inside its workflow task only at first, and counted on outside", async () => {
    const component = returning(({ scheduledAtMs }) => ({ output: scheduledAtMs }));
    const activity = toActivity(component, {
      config: {} as ComponentsConfig,
      logger: createLogger({ name: "test", level: "silent" }),
    });
    type Told = [local?: LocalAttempt, earlier?: EarlierAttempts];
    const attempt = (number: number, ...told: Told) =>
      new MockActivityEnvironment({ attempt: number }).run(activity, {}, ...told);
    const local = { step_key: "step", scheduled_at_ms: 7 };
    expect(await attempt(1, local)).toMatchObject({ output: 7, attempt: 1 });
    await expect(attempt(2, local)).rejects.toMatchObject({
      type: "NotLocal",
      nonRetryable: true,
      details: [{ attempt: 2 }],
    });
    const earlier = { attempts_before: 1, scheduled_at_ms: 7 };
    expect(await attempt(2, undefined, earlier)).toMatchObject({ output: 7, attempt: 3 });
  });

  it("ends as canceled when its signal does it, wrapped or not", async () => {
    const endings: ((signal: AbortSignal) => unknown)[] = [
      (signal) => signal.reason,
      () => new DOMException("This operation was aborted", "AbortError"),
      (signal) => new Error("stopped", { cause: signal.reason }),
    ];
    for (const toError of endings) {
      const canceler = new AbortController();
      const component = returning(({ signal }) => {
        canceler.abort();
        throw toError(signal);
      });
      await expect(
        runComponent(component, { input: {}, signal: canceler.signal }),
      ).rejects.toBeInstanceOf(CancelledFailure);
    }
  });

  it("fails by its own error even after a cancellation, and is never canceled without one", async () => {
    const canceler = new AbortController();
    const late = returning(() => {
      canceler.abort();
      throw new Error("clean-up failed");
    });
    expect(
      (await failureOf(runComponent(late, { input: {}, signal: canceler.signal }))).message,
    ).toBe("clean-up failed");
    const pretending = returning(() => {
      throw new CancelledFailure("not really");
    });
    expect((await failureOf(runComponent(pretending, { input: {} }))).message).toBe("not really");
  });

  it("ends without a component that never answers its signal", async () => {
    vi.useFakeTimers();
    try {
      const canceler = new AbortController();
      const ended = runComponent(
        returning(() => new Promise(() => undefined)),
        { input: {}, signal: canceler.signal },
      ).catch((error: unknown) => error);
      await vi.advanceTimersByTimeAsync(60_000);
      canceler.abort();
      await vi.advanceTimersByTimeAsync(9_000);
      expect(await Promise.race([ended, Promise.resolve("still waited for")])).toBe(
        "still waited for",
      );
      await vi.advanceTimersByTimeAsync(1_000);
      expect(await ended).toBeInstanceOf(CancelledFailure);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it("keeps what a component returns after its signal", async () => {
    const canceler = new AbortController();
    const component = returning(async ({ signal }) => {
      canceler.abort();
      await new Promise((resolve) => setTimeout(resolve, 20));
      return { output: signal.aborted };
    });
    expect((await runComponent(component, { input: {}, signal: canceler.signal })).output).toBe(
      true,
    );
  });

  it("heartbeats by itself, repeats the details given, and stops", async () => {
    vi.useFakeTimers();
    try {
      const component = returning(async ({ heartbeat }) => {
        await vi.advanceTimersByTimeAsync(1_000);
        heartbeat({ sent: 1 });
        await vi.advanceTimersByTimeAsync(4_000);
        return { output: null };
      });
      const { heartbeats } = await runComponent(component, { input: {} });
      expect(heartbeats).toEqual([undefined, { sent: 1 }, { sent: 1 }, { sent: 1 }]);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
