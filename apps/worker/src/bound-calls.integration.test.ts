import { temporalAddress } from "@truerun/dev/testing/test-services";
import { createTemporalClient } from "@truerun/shared/temporal-connection";
import { withTemporalDeadline } from "@truerun/shared/temporal-deadline";
import { getEventListeners, once } from "node:events";
import { afterAll, expect, test } from "vitest";
import { boundCalls, isStopped } from "./bound-calls.ts";

const temporal = createTemporalClient(
  { TEMPORAL_ADDRESS: temporalAddress(), TEMPORAL_NAMESPACE: "default" },
  { callTimeoutMs: 60_000 },
);
afterAll(() => temporal.close());

const bounded = boundCalls(temporal.connection);
const call = () => temporal.connection.workflowService.getSystemInfo({});

test("calls leave nothing behind at the signal that may end them, and warn of nothing", async () => {
  const warnings: Error[] = [];
  const warn = (warning: Error): void => void warnings.push(warning);
  process.on("warning", warn);
  const { signal } = new AbortController();
  await bounded(signal, () => Promise.all(Array.from({ length: 12 }, call)));
  expect(getEventListeners(signal, "abort")).toEqual([]);
  await new Promise((resolve) => setImmediate(resolve));
  process.off("warning", warn);
  expect(warnings).toEqual([]);
});

test("the signal ends a call that is not answered", async () => {
  const stop = new AbortController();
  const poll = bounded(stop.signal, () =>
    temporal.connection.workflowService.pollWorkflowTaskQueue({
      namespace: "default",
      taskQueue: { name: "nobody-uses-it" },
      identity: "test",
    }),
  );
  setTimeout(() => stop.abort(), 100);
  await once(stop.signal, "abort");
  await expect(poll).rejects.toThrow(/cancel/i);
});

test("a call that is made after the signal fails at once", async () => {
  const stop = new AbortController();
  const late = bounded(stop.signal, async () => {
    await call();
    expect(isStopped(temporal)).toBe(false);
    stop.abort();
    expect(isStopped(temporal)).toBe(true);
    await call();
  });
  await expect(late).rejects.toMatchObject({ code: 4 });
});

test("a call that is made after the signal fails at once under a deadline of its own, too", async () => {
  const stop = new AbortController();
  const late = bounded(stop.signal, async () => {
    stop.abort();
    await withTemporalDeadline(temporal.connection, 10_000, call);
  });
  await expect(late).rejects.toMatchObject({ code: 4 });
});
