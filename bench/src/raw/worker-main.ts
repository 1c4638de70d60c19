// Raw Temporal's worker: the SDK's defaults except for compression, a prebuilt bundle, and nothing else.
import { NativeConnection, Worker } from "@temporalio/worker";
import * as activities from "./activities.ts";

const connection = await NativeConnection.connect({
  address: process.env["TEMPORAL_ADDRESS"] ?? "",
  // Like the service's worker: on one machine it only costs CPU.
  grpcCompression: { codec: "none" },
});
const worker = await Worker.create({
  connection,
  taskQueue: "raw",
  workflowBundle: { codePath: process.env["WORKFLOW_BUNDLE"] ?? "" },
  activities,
});
process.on("disconnect", () => process.exit(0));
process.send?.({ type: "ready" });
await worker.run();
