import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { temporalAddress } from "@truerun/dev/testing/test-services";
import { buildGateway, type GatewayProcess, startGatewayProcess } from "./gateway-process.ts";
import { defineWorkflow } from "./run-rows.ts";
import { createTestRig, type TestRig } from "./test-rig.ts";

/** The rig, with gateways in processes of their own besides the two in this one. */
export interface ProcessRig extends TestRig {
  /** Of a definition of `org`'s. */
  workflowName: string;
  /** Starts the built gateway, which is killed when the rig is closed, if not before. */
  start(environment?: Record<string, string>): Promise<GatewayProcess>;
}

export async function createProcessRig(): Promise<ProcessRig> {
  const [rig] = await Promise.all([createTestRig(), buildGateway()]);
  const folder = await mkdtemp(join(tmpdir(), "truerun-gateway-"));
  const { name } = await defineWorkflow(rig);
  const started: GatewayProcess[] = [];
  return {
    ...rig,
    workflowName: name,
    async start(environment = {}) {
      const gateway = await startGatewayProcess(folder, {
        DATABASE_URL: rig.databaseUrl,
        TEMPORAL_ADDRESS: temporalAddress(),
        TEMPORAL_TASK_QUEUE: name,
        ...environment,
      });
      started.push(gateway);
      return gateway;
    },
    async close() {
      await Promise.all(started.map((gateway) => gateway.stop("SIGKILL", 0)));
      await rig.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
