// The API as a good engineer would write it in an afternoon: Prisma creates a row, Temporal's client starts a
// workflow, and reads return the rows that the activities wrote.
import { randomUUID } from "node:crypto";
import { Client, Connection } from "@temporalio/client";
import express from "express";
import { createPrisma } from "./database.ts";

const prisma = createPrisma(process.env["DATABASE_URL"] ?? "");
const connection = await Connection.connect({ address: process.env["TEMPORAL_ADDRESS"] ?? "" });
const client = new Client({ connection });
const app = express();
app.use(express.json());

app.post("/runs", async (request, response) => {
  const { input } = request.body as { input: { value: number } };
  const run = await prisma.run.create({
    data: { id: randomUUID(), workflow: "threeSteps", input },
  });
  await client.workflow.start("threeSteps", {
    workflowId: run.id,
    taskQueue: "naive",
    args: [run.id, input],
  });
  response.status(201).json(run);
});

app.get("/runs/:id", async (request, response) => {
  const run = await prisma.run.findUnique({
    where: { id: request.params.id },
    include: { steps: { orderBy: { id: "asc" } } },
  });
  if (run === null) response.status(404).json({ error: "not found" });
  else response.json(run);
});

app.listen(Number(process.env["PORT"]), "127.0.0.1", () => process.send?.({ type: "ready" }));
process.on("disconnect", () => process.exit(0));
