// The worker: the workflow, prebuilt into a bundle, and the activities that write the rows.
import { NativeConnection, Worker } from "@temporalio/worker";
import { createActivities } from "./activities.ts";
import { createPrisma } from "./database.ts";

const prisma = createPrisma(process.env["DATABASE_URL"] ?? "");
const connection = await NativeConnection.connect({
  address: process.env["TEMPORAL_ADDRESS"] ?? "",
  // The SDK's default is gzip.
  ...(process.env["UNCOMPRESSED"] === undefined ? {} : { grpcCompression: { codec: "none" } }),
});
const worker = await Worker.create({
  connection,
  taskQueue: "naive",
  workflowBundle: { codePath: process.env["WORKFLOW_BUNDLE"] ?? "" },
  activities: createActivities(prisma),
});
process.on("disconnect", () => process.exit(0));
process.send?.({ type: "ready" });
await worker.run();
