import type { WorkflowInfo } from "@temporalio/workflow";
import { expect, test, vi } from "vitest";
import type { MirrorRecord } from "./mirror-record.ts";
import { createMirrorSink } from "./mirror-sink.ts";
import type { MirrorWriter } from "./mirror-writer.ts";

test("of a run that has lost a task every record is waited for", async () => {
  const writer = {
    write: vi.fn<MirrorWriter["write"]>(async () => undefined),
    writeSoon: vi.fn<MirrorWriter["writeSoon"]>(),
  };
  const { mirror } = createMirrorSink({
    writer,
    slots: { began: () => undefined, recorded: () => undefined },
    reopened: { hasRun: (id) => id === "lost" },
  });
  const info = { runId: "temporal" } as WorkflowInfo;
  const [lost, other] = ["lost", "other"].map(
    (id) => ({ kind: "step", run_id: id }) as MirrorRecord,
  );
  if (lost === undefined || other === undefined) throw new Error("There are two");
  await mirror.write.fn(info, lost, true);
  await mirror.write.fn(info, other, true);
  await mirror.write.fn(info, other);
  expect(writer.write.mock.calls).toEqual([[lost], [other]]);
  expect(writer.writeSoon.mock.calls).toEqual([[other]]);
});

test("the first workflow task says how long its execution had waited to begin", async () => {
  const began = vi.fn<(waitedMs: number) => void>();
  const { mirror } = createMirrorSink({
    writer: { write: async () => undefined, writeSoon: () => undefined },
    slots: { began, recorded: () => undefined },
    reopened: { hasRun: () => false },
  });
  const startTime = new Date("2026-01-01T00:00:00Z");
  const record = { kind: "step", run_id: "any", mirror_time_ms: startTime.getTime() + 700 };
  for (const historyLength of [3, 9]) {
    const info = { runId: "temporal", startTime, historyLength } as WorkflowInfo;
    await mirror.write.fn(info, record as MirrorRecord);
  }
  expect(began.mock.calls).toEqual([[700]]);
});
