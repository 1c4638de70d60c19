import type { Client } from "@temporalio/client";
import { expect, test } from "vitest";
import type { SentRun } from "../load/send-load.ts";
import { component, type Shape } from "../load/shape.ts";
import { checkEffects } from "./check-effects.ts";
import { checkCallers, checkChains, checkEnds, checkRecords } from "./check-rows.ts";
import type { Execution, Facts, RunRow, StepFact } from "./facts.ts";
import { createFindings } from "./findings.ts";

const shape: Shape = {
  name: "one step",
  weight: 1,
  definition: { components: [component("a", {})] },
  ends: "completed",
  steps: { a: "success" },
  effects: { a: 1 },
};

const row: RunRow = {
  id: "cbwr_1",
  workflowName: shape.name,
  status: "completed",
  loadId: "load-1",
  isDispatched: true,
  confirmedAt: 9_000,
};

const sent: SentRun = {
  item: { id: "load-1", shape, key: null, gateway: 0, isRepeated: false, atMs: 0 },
  runId: row.id,
  answer: "{}",
  isAmbiguous: false,
  requests: 1,
};

const step: StepFact = {
  runId: row.id,
  key: "a",
  status: "success",
  attempt: 1,
  createdAt: 1_000,
  updatedAt: 2_000,
};

const execution: Execution = {
  runId: row.id,
  temporalRunId: "t1",
  firstTemporalRunId: "t1",
  startedAt: 500,
  closedAt: 8_000,
};

const workerKilled: Facts["faults"][number] = {
  fault: { kind: "kill -9", target: "worker-1", atMs: 0, holdMs: 0 },
  acts: [],
  from: 1_500,
  to: 1_600,
};

interface Told {
  rows?: RunRow[];
  steps?: StepFact[];
  executions?: Execution[];
  sent?: SentRun;
  faults?: Facts["faults"];
  ledger?: [string, number[]][];
  shape?: Shape;
}

/** All that is found in a run that went well except for what is told. */
async function find(told: Told): Promise<string[]> {
  const findings = createFindings(() => undefined);
  const facts: Facts = {
    runs: new Map((told.rows ?? [row]).map((each) => [each.id, each])),
    steps: told.steps ?? [step],
    executions: told.executions ?? [execution],
    sent: [told.sent ?? sent],
    shapes: new Map([[shape.name, told.shape ?? shape]]),
    faults: told.faults ?? [],
    sightings: new Map(),
    reads: { looks: 0, unavailable: 0 },
    executionsOf: new Map(told.ledger ?? [["cbwr_1:a", [1_500]]]),
    // Asked only for runs that were reset.
    client: {} as Client,
    findings,
  };
  checkCallers(facts);
  checkChains(facts);
  checkRecords(facts);
  checkEnds(facts);
  await checkEffects(facts);
  return findings.violations.map(({ invariant, verdict }) => `${invariant} ${verdict}`);
}

test("nothing is found in a run that went well", async () => {
  expect(await find({})).toEqual([]);
});

test("a run without its row is lost", async () => {
  const nothing = { rows: [], steps: [], executions: [], ledger: [] };
  expect(await find(nothing)).toEqual(["I1 lost"]);
  const refused = { ...sent, runId: null, answer: null };
  expect(await find({ ...nothing, sent: refused })).toEqual(["I1 lost"]);
  expect(await find({ ...nothing, sent: { ...refused, isAmbiguous: true } })).toEqual([]);
});

test("a request with two rows is doubled", async () => {
  const second = { ...row, id: "cbwr_2", status: "started" as const, isDispatched: false };
  expect(await find({ rows: [row, second] })).toEqual(["I1 doubled"]);
});

test("a run that nobody asked for is found", async () => {
  const stray = { ...row, id: "cbwr_2", loadId: null, isDispatched: false, workflowName: "other" };
  expect(await find({ rows: [row, stray] })).toEqual(["I1 broken"]);
  expect(await find({ rows: [row, { ...stray, loadId: "load-1/child" }] })).toEqual([]);
});

test("a reset keeps the chain, a second start does not", async () => {
  const next = { ...execution, temporalRunId: "t2" };
  expect(await find({ executions: [execution, next] })).toEqual([]);
  const other = { ...next, firstTemporalRunId: "t2" };
  expect(await find({ executions: [execution, other] })).toEqual(["I2 doubled"]);
});

test("a dispatched run that Temporal does not have is lost, and so is one without a row", async () => {
  expect(await find({ executions: [] })).toEqual(["I2 lost"]);
  const stray = { ...execution, runId: "cbwr_3" };
  expect(await find({ executions: [execution, stray] })).toEqual(["I2 lost"]);
});

test("steps have one record, and a final one when their run has ended", async () => {
  expect(await find({ steps: [step, step] })).toEqual(["I5 doubled"]);
  expect(await find({ steps: [{ ...step, status: null }] })).toEqual([
    "I5 diverged",
    "END diverged",
  ]);
});

test("a run that no operator touched ends as its shape says", async () => {
  expect(await find({ rows: [{ ...row, status: "failed" }] })).toEqual(["END diverged"]);
  expect(await find({ steps: [], ledger: [] })).toEqual(["END diverged"]);
});

test("a run that never ends rests with the steps of its shape", async () => {
  const resting: Shape = { ...shape, ends: "started", steps: { a: "success", b: null } };
  const rows = [{ ...row, status: "started" as const, confirmedAt: null }];
  const open = { ...step, key: "b", status: null };
  const told: Told = { rows, shape: resting };
  expect(await find({ ...told, steps: [step, open] })).toEqual([]);
  expect(await find({ ...told, steps: [step] })).toEqual(["END diverged"]);
  expect(await find({ ...told, rows: [row], steps: [step, open] })).toContain("END diverged");
});

test("a component that did not run, ran too often, or ran without a record is found", async () => {
  expect(await find({ ledger: [] })).toEqual(["I6 lost"]);
  const twice: Told = { ledger: [["cbwr_1:a", [1_500, 1_700]]] };
  expect(await find(twice)).toEqual(["I6 doubled"]);
  const unknown: Told = {
    ledger: [
      ["cbwr_1:a", [1_500]],
      ["cbwr_1:b", [1]],
    ],
  };
  expect(await find(unknown)).toEqual(["I6 diverged"]);
});

test("it may run twice only where a fault hits it, and not more often than there were attempts", async () => {
  const ledger: Told["ledger"] = [["cbwr_1:a", [1_500, 1_700]]];
  const faults = [workerKilled];
  const steps = [{ ...step, attempt: 2 }];
  expect(await find({ ledger, faults, steps })).toEqual([]);
  expect(await find({ ledger, faults })).toEqual(["I6 doubled"]);
  expect(await find({ ledger, steps })).toEqual(["I6 doubled"]);
  const elsewhere = { ...workerKilled, fault: { ...workerKilled.fault, target: "postgres" } };
  expect(await find({ ledger, steps, faults: [elsewhere as typeof workerKilled] })).toEqual([
    "I6 doubled",
  ]);
});

test("inside of a workflow task it may run once more for each fault that can lose the task", async () => {
  const local: Shape = { ...shape, local: ["a"] };
  const twice: Told["ledger"] = [["cbwr_1:a", [700, 12_000]]];
  const steps = [{ ...step, createdAt: 11_900, updatedAt: 12_100 }];
  const faults = [{ ...workerKilled, from: 800, to: 900 }];
  expect(await find({ ledger: twice, faults, steps, shape: local })).toEqual([]);
  expect(await find({ ledger: twice, steps, shape: local })).toEqual(["I6 doubled"]);
  const thrice: Told["ledger"] = [["cbwr_1:a", [700, 12_000, 12_050]]];
  expect(await find({ ledger: thrice, faults, steps, shape: local })).toEqual(["I6 doubled"]);
});

test("what was done inside of a task that a termination cut off needs no record, any other does", async () => {
  const local: Shape = { ...shape, local: ["a"] };
  const terminated: Facts["faults"][number] = {
    fault: { kind: "terminate", target: 0, point: 0, atMs: 0, holdMs: 0 },
    acts: [{ runId: row.id, requestedAt: 1_700, outcome: "done" }],
    from: 1_650,
    to: 1_750,
  };
  const nothing = {
    steps: [],
    rows: [{ ...row, status: "failed" as const }],
    faults: [terminated],
  };
  expect(await find({ ...nothing, shape: local })).toEqual([]);
  expect(await find(nothing)).toEqual(["I6 diverged"]);
});
