import { afterAll, beforeAll, expect, test } from "vitest";
import { component, local } from "./testing/rig-runs.ts";
import { chain } from "./testing/shape.ts";
import { createWorkerRig, type WorkerRig } from "./testing/worker-rig.ts";

let rig: WorkerRig;
beforeAll(async () => {
  rig = await createWorkerRig({ environment: { WORKER_MAX_WORKFLOW_TASKS: "1" } });
});
afterAll(() => rig.close());

test("with a single slot, runs of all kinds come to their end", async () => {
  const shapes = [
    chain([component("a"), component("b"), component("c")]),
    chain([local("a"), component("b"), local("c")]),
    [local("slow", { action: "slow", with: { ms: 500 } })],
    // More than 100 items: in batches, which are workflows of their own.
    [
      component("each", {
        for_each: Array.from({ length: 120 }, (_, n) => n),
        max_concurrency: 10,
      }),
    ],
  ];
  const starts = shapes.flatMap((components) =>
    Array.from({ length: 3 }, () => rig.startRun({ components })),
  );
  const ids = await Promise.all(starts);
  const ended = await Promise.all(ids.map((id) => rig.finished(id)));
  expect(ended.map(({ status }) => status)).toEqual(ids.map(() => "completed"));
});
