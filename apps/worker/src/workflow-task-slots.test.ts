import type { SlotPermit, SlotReserveContext } from "@temporalio/worker";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createWorkflowTaskSlots, type WorkflowTaskSlots } from "./workflow-task-slots.ts";

const TASK = { type: "workflow", workflowType: "any", isSticky: false } as const;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** As the SDK uses slots: it asks for the next one as soon as it has one, for each kind of poll. */
function poll(slots: WorkflowTaskSlots) {
  const granted: Record<"sticky" | "shared", SlotPermit[]> = { sticky: [], shared: [] };
  const used: SlotPermit[] = [];
  const ends = new AbortController();
  const ask = async (kind: "sticky" | "shared"): Promise<void> => {
    for (;;) {
      const context: SlotReserveContext = {
        slotType: "workflow" as const,
        isSticky: kind === "sticky",
        taskQueue: "any",
        workerIdentity: "any",
        workerBuildId: "",
      };
      granted[kind].push(await slots.supplier.reserveSlot(context, ends.signal));
    }
  };
  const asking = [ask("sticky"), ask("shared")];
  const next = (kind: "sticky" | "shared"): SlotPermit => {
    const permit = granted[kind].shift();
    if (permit === undefined) throw new Error(`No ${kind} poll is under way`);
    return permit;
  };
  const soon = async (): Promise<void> => void (await vi.advanceTimersByTimeAsync(0));
  return {
    /** Polls under way, of either kind. */
    async open() {
      await soon();
      return { sticky: granted.sticky.length, shared: granted.shared.length };
    },
    async takeTask(kind: "sticky" | "shared") {
      await soon();
      const permit = next(kind);
      slots.supplier.markSlotUsed({ permit, slotInfo: TASK });
      used.push(permit);
    },
    async pollInVain(kind: "sticky" | "shared") {
      await soon();
      slots.supplier.releaseSlot({ permit: next(kind) });
    },
    async endTask() {
      const permit = used.shift();
      if (permit === undefined) throw new Error("No task is handled");
      slots.supplier.releaseSlot({ permit, slotInfo: TASK });
      await soon();
    },
    async shutDown() {
      ends.abort(new Error("shutdown"));
      return (await Promise.allSettled(asking)).map((each) =>
        each.status === "rejected" ? String(each.reason) : "still asks",
      );
    },
  };
}

/** Runs that were begun here and wait for their next task. */
function makeDue(slots: WorkflowTaskSlots, runs: readonly string[]): void {
  for (const run of runs) {
    slots.recorded(run, false);
    slots.attemptSucceeded(run);
  }
}

test("an idle worker polls for both kinds, and again after polls that brought nothing", async () => {
  const polls = poll(createWorkflowTaskSlots(1));
  expect(await polls.open()).toEqual({ sticky: 3, shared: 2 });
  for (const kind of ["sticky", "shared", "shared"] as const) await polls.pollInVain(kind);
  expect(await polls.open()).toEqual({ sticky: 3, shared: 2 });
});

test("while it handles as many tasks as it may, it asks for no more of either kind", async () => {
  const polls = poll(createWorkflowTaskSlots(2));
  await polls.takeTask("shared");
  expect(await polls.open()).toEqual({ sticky: 3, shared: 2 });
  await polls.takeTask("sticky");
  expect(await polls.open()).toEqual({ sticky: 2, shared: 2 });
  // What was asked for before may still come, and is handled.
  await polls.takeTask("shared");
  await polls.endTask();
  expect(await polls.open()).toEqual({ sticky: 2, shared: 1 });
  await polls.endTask();
  expect(await polls.open()).toEqual({ sticky: 3, shared: 2 });
});

test("no run is begun while two wait for their next task", async () => {
  const slots = createWorkflowTaskSlots(4);
  const polls = poll(slots);
  for (const run of ["one", "two", "three"]) slots.recorded(run, false);
  slots.attemptSucceeded("one");
  slots.attemptSucceeded("one");
  await polls.takeTask("shared");
  expect(await polls.open()).toEqual({ sticky: 3, shared: 2 });
  slots.attemptSucceeded("two");
  await polls.takeTask("shared");
  await polls.takeTask("sticky");
  expect(await polls.open()).toEqual({ sticky: 3, shared: 1 });
  slots.recorded("one", false);
  expect(await polls.open()).toEqual({ sticky: 3, shared: 2 });
});

test("a worker whose runs always have something due begins others all the same, some a second", async () => {
  const slots = createWorkflowTaskSlots(4);
  const polls = poll(slots);
  expect(await polls.open()).toEqual({ sticky: 3, shared: 2 });
  makeDue(slots, ["one", "two"]);
  for (const kind of ["shared", "shared", "sticky"] as const) await polls.takeTask(kind);
  expect(await polls.open()).toEqual({ sticky: 3, shared: 0 });
  await vi.advanceTimersByTimeAsync(199);
  expect(await polls.open()).toEqual({ sticky: 3, shared: 0 });
  await vi.advanceTimersByTimeAsync(1);
  expect(await polls.open()).toEqual({ sticky: 3, shared: 1 });
  await vi.advanceTimersByTimeAsync(200);
  expect(await polls.open()).toEqual({ sticky: 3, shared: 2 });
});

test("what is due does not wait for ever, nor are runs due that others execute, or that have ended", async () => {
  const slots = createWorkflowTaskSlots(4);
  const polls = poll(slots);
  slots.recorded("ended", false);
  slots.recorded("ended", true);
  for (const run of ["ended", "others'", "others', too"]) slots.attemptSucceeded(run);
  await polls.takeTask("shared");
  expect(await polls.open()).toEqual({ sticky: 3, shared: 2 });
  makeDue(slots, ["one", "two"]);
  await vi.advanceTimersByTimeAsync(850);
  // The first one goes to a poll that has already waited for long.
  for (const kind of ["shared", "shared"] as const) await polls.takeTask(kind);
  expect(await polls.open()).toEqual({ sticky: 3, shared: 1 });
  await vi.advanceTimersByTimeAsync(150);
  expect(await polls.open()).toEqual({ sticky: 3, shared: 2 });
});

test("while no run waits long to begin, it takes on four times as many tasks", async () => {
  const slots = createWorkflowTaskSlots(2);
  const polls = poll(slots);
  expect(await polls.open()).toEqual({ sticky: 3, shared: 2 });
  slots.began(500);
  await vi.advanceTimersByTimeAsync(5_000);
  await polls.pollInVain("sticky");
  expect(await polls.open()).toEqual({ sticky: 5, shared: 5 });
  for (let tasks = 0; tasks < 7; tasks++) await polls.takeTask("shared");
  expect(await polls.open()).toEqual({ sticky: 5, shared: 5 });
  await polls.takeTask("sticky");
  expect(await polls.open()).toEqual({ sticky: 4, shared: 5 });
});

test("while no run waits long, it still begins none while twice as many wait for their next task", async () => {
  const slots = createWorkflowTaskSlots(1);
  const polls = poll(slots);
  await vi.advanceTimersByTimeAsync(5_000);
  await polls.pollInVain("sticky");
  expect(await polls.open()).toEqual({ sticky: 5, shared: 5 });
  makeDue(slots, ["one", "two"]);
  await polls.takeTask("shared");
  await polls.takeTask("sticky");
  expect(await polls.open()).toEqual({ sticky: 5, shared: 4 });
  slots.recorded("one", false);
  expect(await polls.open()).toEqual({ sticky: 5, shared: 5 });
});

test("one run that waited long to begin is enough for five seconds of restraint", async () => {
  const slots = createWorkflowTaskSlots(1);
  const polls = poll(slots);
  await vi.advanceTimersByTimeAsync(5_000);
  await polls.pollInVain("sticky");
  expect(await polls.open()).toEqual({ sticky: 5, shared: 5 });
  slots.began(501);
  for (const kind of ["sticky", "sticky", "sticky", "shared"] as const) await polls.takeTask(kind);
  expect(await polls.open()).toEqual({ sticky: 2, shared: 4 });
  await vi.advanceTimersByTimeAsync(4_999);
  await polls.endTask();
  expect(await polls.open()).toEqual({ sticky: 2, shared: 4 });
  await vi.advanceTimersByTimeAsync(1);
  await polls.endTask();
  expect(await polls.open()).toEqual({ sticky: 5, shared: 5 });
});

test("at its end nobody waits for a slot", async () => {
  const polls = poll(createWorkflowTaskSlots(1));
  await polls.takeTask("sticky");
  expect(await polls.shutDown()).toEqual(["Error: shutdown", "Error: shutdown"]);
});
