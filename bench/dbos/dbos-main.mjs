// Another engine, for a sense of scale: three trivial steps in DBOS Transact, behind Express. Its state is in
// Postgres; API and execution share one process, as in its documentation.
import { randomUUID } from "node:crypto";
import { DBOS } from "@dbos-inc/dbos-sdk";
import express from "express";

const STEPS = ["first", "second", "third"];

async function threeStepsFunction(input) {
  let { value } = input;
  for (const name of STEPS) value = await DBOS.runStep(async () => value, { name });
  return value;
}
const threeSteps = DBOS.registerWorkflow(threeStepsFunction, { name: "threeSteps" });

DBOS.setConfig({
  name: "truerun-bench",
  systemDatabaseUrl: process.env.DATABASE_URL,
  logLevel: "warn",
});
await DBOS.launch();

const app = express();
app.use(express.json());
app.post("/runs", async (request, response) => {
  const workflowID = randomUUID();
  await DBOS.startWorkflow(threeSteps, { workflowID })(request.body.input);
  response.status(201).json({ id: workflowID, status: "started" });
});
app.get("/runs/:id", async (request, response) => {
  const [status, steps] = await Promise.all([
    DBOS.getWorkflowStatus(request.params.id),
    DBOS.listWorkflowSteps(request.params.id),
  ]);
  if (status === null) response.status(404).json({ error: "not found" });
  else response.json({ id: request.params.id, status: status.status, steps });
});
app.listen(Number(process.env.PORT), "127.0.0.1", () => process.send?.({ type: "ready" }));
process.on("disconnect", () => process.exit(0));
