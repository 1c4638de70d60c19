// Which records of steps inside workflow tasks the workflow waits for.
import { afterAll, beforeAll, expect, test } from "vitest";
import { component, local } from "../testing/rig-runs.ts";
import { to } from "../testing/shape.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";
import type { MirrorRecord } from "./mirror-record.ts";
import type { MirrorWriter } from "./mirror-writer.ts";

/** What the real writer was given, in order. */
const given: string[] = [];

function listen(writer: MirrorWriter): void {
  const write = writer.write.bind(writer);
  const writeSoon = writer.writeSoon.bind(writer);
  writer.write = async (record) => {
    given.push(`${toText(record)}, waited for`);
    await write(record);
  };
  writer.writeSoon = (record) => {
    given.push(toText(record));
    writeSoon(record);
  };
}

function toText(record: MirrorRecord): string {
  return record.kind === "end" ? "end" : `${record.step_key} ${record.status ?? "begins"}`;
}

let rig: WorkerRig;
beforeAll(async () => {
  rig = await createWorkerRig({ onMirror: listen });
});
afterAll(() => rig.close());

test("what begins a workflow task and what ends it is waited for, and nothing between", async () => {
  const id = await rig.startRun({
    components: [
      local("a", { next: [to("b")] }),
      local("b", { next: [to("c")] }),
      component("c", { next: [to("d")] }),
      local("d", { next: [to("e")] }),
      local("e"),
    ],
  });
  const { status, steps } = await rig.finished(id);
  expect(status).toBe("completed");
  expect(steps.map((step) => step.status)).toEqual(Array(5).fill("success"));
  expect(given).toEqual([
    "a begins, waited for",
    "a success",
    "b begins",
    "b success",
    "c begins, waited for",
    "c success, waited for",
    "d begins, waited for",
    "d success",
    "e begins",
    "e success",
    "end, waited for",
  ]);
});
