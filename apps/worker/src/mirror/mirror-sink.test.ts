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
    slots: { recorded: () => undefined },
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
