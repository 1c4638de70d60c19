import { ThreadedVMWorkflowCreator } from "@temporalio/worker/lib/workflow/threaded-vm.js";
import { afterEach, expect, test, vi } from "vitest";
import { InterpreterWorker } from "./interpreter-worker.ts";

const MAP = btoa(
  JSON.stringify({ sources: [], sourceRoot: "", file: "", mappings: "", version: 3, names: [] }),
);

afterEach(() => vi.restoreAllMocks());

test("workflow code is given no limit of time, whatever the SDK's default", async () => {
  const create = vi.spyOn(ThreadedVMWorkflowCreator, "create").mockRejectedValue(new Error("seen"));
  const options = {
    workflowBundle: { code: `\n//# sourceMappingURL=data:application/json;base64,${MAP}` },
    debugMode: false,
  };
  const replays = InterpreterWorker.runReplayHistories(options, []);
  await expect(replays[Symbol.asyncIterator]().next()).rejects.toThrow("seen");
  expect(create.mock.calls[0]?.[0].isolateExecutionTimeoutMs).toBeUndefined();
});
