import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { Client, Connection } from "@temporalio/client";
import { RUN_INPUT } from "./run-input.ts";
import { type Bench, createParts } from "./start-parts.ts";
import type { Deployment, System } from "./system.ts";

const WORKER_MAIN = fileURLToPath(new URL("../raw/worker-main.js", import.meta.url));

const WORKFLOWS = { raw: "threeSteps", "raw-local": "threeLocalSteps" } as const;

/** Temporal's own client and worker. The client is in this process: there is no gateway. */
export async function startRaw(
  bench: Bench,
  { withWorker }: { withWorker: boolean },
): Promise<Deployment> {
  const parts = await createParts(bench, "raw");
  const address = await parts.temporal();
  if (withWorker) {
    const env = { TEMPORAL_ADDRESS: address, WORKFLOW_BUNDLE: bench.bundles.raw };
    await parts.node({ kind: "worker", main: WORKER_MAIN, env });
  }
  const connection = await Connection.connect({ address });
  const client = new Client({ connection });
  const toSystem = (name: keyof typeof WORKFLOWS): System => ({
    name,
    async accept() {
      const options = { workflowId: randomUUID(), taskQueue: "raw", args: [RUN_INPUT] };
      return (await client.workflow.start(WORKFLOWS[name], options)).workflowId;
    },
    untilEnded: async (id) => void (await client.workflow.getHandle(id).result()),
    http: null,
  });
  return {
    parts: parts.list,
    systems: [toSystem("raw"), toSystem("raw-local")],
    http: null,
    ends: null,
    async stop() {
      await connection.close();
      await parts.stop();
    },
  };
}
