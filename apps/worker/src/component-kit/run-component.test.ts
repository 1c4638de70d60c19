import { CancelledFailure } from "@temporalio/common";
import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { defineComponent } from "../component.ts";
import { failureOf, type LogLine, runComponent } from "./run-component.ts";

const greet = defineComponent({
  action: "greet",
  title: "Greet",
  description: "Greets",
  input: z.strictObject({ name: z.string(), times: z.coerce.number().default(1) }),
  output: z.strictObject({ greetings: z.array(z.string()), key: z.string().optional() }),
  async run({ input, signal, log, heartbeat, idempotencyKey, config, scheduledAtMs }) {
    log.info({ token: "hidden", from: config.emailFrom?.address, scheduledAtMs }, "greeting");
    heartbeat({ of: input.times });
    signal.throwIfAborted();
    if (input.name === "") throw new Error("nobody to greet");
    const greetings = Array.from({ length: input.times }, () => `Hello, ${input.name}`);
    return { output: { greetings, key: idempotencyKey } };
  },
});

describe("runComponent", () => {
  it("parses as production does, and its output has the schema's type", async () => {
    const { output, artifacts, attempt } = await runComponent(greet, {
      input: { name: "Ada", times: "2" },
      attempt: 3,
      stepKey: "hello[1]",
    });
    expectTypeOf(output).toEqualTypeOf<{ greetings: string[]; key?: string | undefined }>();
    expect(output).toEqual({ greetings: ["Hello, Ada", "Hello, Ada"], key: "cbwr_test:hello[1]" });
    expect({ artifacts, attempt }).toEqual({ artifacts: [], attempt: 3 });
  });

  it("refuses at compile time what the schema's type refuses, unless it is rawInput", async () => {
    // @ts-expect-error -- a name is a text
    const typed = runComponent(greet, { input: { name: 1 } });
    const raw = runComponent(greet, { rawInput: { name: 1 } });
    for (const work of [typed, raw]) {
      expect(await failureOf(work)).toMatchObject({ type: "InvalidInput", nonRetryable: true });
    }
  });

  it("shows the log as it is written, secrets taken out, and the heartbeats", async () => {
    const { logs, heartbeats } = await runComponent(greet, {
      input: { name: "Ada" },
      env: { EMAIL_FROM: "us@example.com" },
      scheduledAtMs: 7,
    });
    expect(logs).toEqual([
      expect.objectContaining({
        level: 30,
        msg: "greeting",
        action: "greet",
        stepKey: "step",
        workflowRunId: "cbwr_test",
        attempt: 1,
        token: "[redacted]",
        from: "us@example.com",
        scheduledAtMs: 7,
      }),
    ]);
    expect(heartbeats).toEqual([{ of: 1 }]);
  });

  it("shows what an attempt did that failed", async () => {
    const lines: LogLine[] = [];
    const beats: unknown[] = [];
    const failure = await failureOf(
      runComponent(greet, {
        input: { name: "" },
        onLog: (line) => lines.push(line),
        onHeartbeat: (details) => beats.push(details),
      }),
    );
    expect(failure).toMatchObject({ message: "nobody to greet", nonRetryable: false });
    expect(lines.map(({ msg }) => msg)).toEqual(["greeting"]);
    expect(beats).toEqual([{ of: 1 }]);
  });

  it("cancels the attempt by its signal, before or in the middle", async () => {
    const canceler = new AbortController();
    for (const options of [
      { signal: AbortSignal.abort() },
      { signal: canceler.signal, onHeartbeat: () => canceler.abort() },
    ]) {
      const work = runComponent(greet, { input: { name: "Ada" }, ...options });
      await expect(work).rejects.toBeInstanceOf(CancelledFailure);
    }
  });

  it("refuses an environment that no worker would take", async () => {
    const work = runComponent(greet, { input: { name: "Ada" }, env: { SMTP_URL: "nonsense" } });
    await expect(work).rejects.toMatchObject({ name: "ConfigurationError" });
  });
});

describe("failureOf", () => {
  it("throws when the attempt succeeds, or is canceled", async () => {
    await expect(failureOf(runComponent(greet, { input: { name: "Ada" } }))).rejects.toThrow(
      'it succeeded with {"greetings":["Hello, Ada"]',
    );
    const canceled = runComponent(greet, { input: { name: "Ada" }, signal: AbortSignal.abort() });
    await expect(failureOf(canceled)).rejects.toBeInstanceOf(CancelledFailure);
  });
});
