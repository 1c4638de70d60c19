// For tests only: component activities that behave as they are told.
import { pause } from "@truerun/shared/pause";
import { ApplicationFailure } from "@temporalio/common";
import { z } from "zod";
import { type Component, defineComponent } from "../component.ts";
import transform from "../components/transform.ts";

/** How often each `count` key was executed in this process. */
export const executions = new Map<string, number>();

const about = { title: "For tests", description: "For tests" };

/** Takes its time, counts its executions, and stops when it is canceled. */
const slow = defineComponent({
  ...about,
  action: "slow",
  input: z.object({ ms: z.number(), count: z.string().optional() }),
  output: z.object({ waited: z.number() }),
  async run({ input, signal }) {
    if (input.count !== undefined) {
      executions.set(input.count, (executions.get(input.count) ?? 0) + 1);
    }
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, input.ms);
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      });
    });
    return { output: { waited: input.ms } };
  },
});

/** Fails until its attempt `succeed_at`, or for good at once. */
const flaky = defineComponent({
  ...about,
  action: "flaky",
  input: z.object({
    succeed_at: z.number().default(Number.MAX_SAFE_INTEGER),
    message: z.string().default("flaky"),
    retryable: z.boolean().default(true),
  }),
  output: z.object({ attempt: z.number() }),
  async run({ input, attempt }) {
    if (attempt >= input.succeed_at) return { output: { attempt } };
    if (!input.retryable) throw ApplicationFailure.nonRetryable(input.message, "Planned");
    throw new Error(input.message);
  },
});

const scheduledAt = new Map<string, number>();

/** Tells what its first attempt, which fails, and its second are told of the time. */
const schedule = defineComponent({
  ...about,
  action: "schedule",
  input: z.object({}),
  output: z.object({ first: z.number().optional(), second: z.number() }),
  async run({ attempt, scheduledAtMs, idempotencyKey }) {
    if (attempt > 1) {
      return { output: { first: scheduledAt.get(idempotencyKey), second: scheduledAtMs } };
    }
    scheduledAt.set(idempotencyKey, scheduledAtMs);
    throw new Error("once more");
  },
});

/** As `slow`, or fails for good, as its item says. */
const slowOrBad = defineComponent({
  ...about,
  action: "slow_or_bad",
  input: z.object({ item: z.object({ ms: z.number().default(1), flaky: z.boolean().optional() }) }),
  output: z.object({ waited: z.number() }),
  async run({ input: { item }, ...context }) {
    if (item.flaky === true) throw ApplicationFailure.nonRetryable("planned", "Planned");
    return await slow.run({ ...context, input: { ms: item.ms } });
  },
});

/** Gives a text of the given size, at once or after some time. */
const produce = defineComponent({
  ...about,
  action: "produce",
  input: z.object({ size: z.number(), ms: z.number().default(0) }),
  output: z.string(),
  async run({ input, ...context }) {
    if (input.ms > 0) await slow.run({ ...context, input: { ms: input.ms } });
    return { output: "x".repeat(input.size) };
  },
});

/** Says how long a text is. */
const measure = defineComponent({
  ...about,
  action: "measure",
  input: z.object({ value: z.string() }),
  output: z.number(),
  async run({ input }) {
    return { output: input.value.length };
  },
});

/** Never looks at its signal. */
const deaf = defineComponent({
  ...about,
  action: "deaf",
  input: z.object({ ms: z.number() }),
  output: z.null(),
  async run({ input }) {
    await pause(input.ms);
    return { output: null };
  },
});

/** Works until it is canceled, and counts only what it has cleaned up after that. */
const tidy = defineComponent({
  ...about,
  action: "tidy",
  input: z.object({ cleanUpMs: z.number(), count: z.string() }),
  output: z.null(),
  async run({ input, signal }) {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    await pause(input.cleanUpMs);
    executions.set(input.count, (executions.get(input.count) ?? 0) + 1);
    throw signal.reason as Error;
  },
});

/** Names entities, to be found in the step's artifacts. */
const touch = defineComponent({
  ...about,
  action: "touch",
  input: z.object({ id: z.string() }),
  output: z.string(),
  async run({ input }) {
    return {
      output: input.id,
      artifacts: [
        { artifact_type: "thing", id: input.id, role: "trigger" },
        { artifact_type: "thing", id: `${input.id}'`, role: "result" },
      ],
    };
  },
});

/** Heartbeats, and then takes its time. */
const beat = defineComponent({
  ...about,
  action: "beat",
  input: z.object({ details: z.string(), ms: z.number() }),
  output: z.null(),
  async run({ input, heartbeat }) {
    heartbeat(input.details);
    await pause(input.ms);
    return { output: null };
  },
});

/** Gives back what it is told of its step, and heartbeats. */
const who = defineComponent({
  ...about,
  action: "who",
  input: z.object({}),
  output: z.object({ stepKey: z.string(), key: z.string(), attempt: z.number() }),
  async run({ stepKey, idempotencyKey: key, attempt, heartbeat }) {
    heartbeat({ at: stepKey });
    heartbeat();
    return { output: { stepKey, key, attempt } };
  },
});

export const testComponents = [
  transform,
  slow,
  flaky,
  schedule,
  slowOrBad,
  produce,
  measure,
  deaf,
  tidy,
  touch,
  beat,
  who,
] as unknown as Component[];
