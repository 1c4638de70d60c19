import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { foldRunChanges } from "@truerun/shared/run-counts/fold-run-changes";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { confirmClosedRuns, untilConfirmed } from "../testing/walk-once.ts";
import { insertRun } from "../testing/insert-run.ts";
import { SHAPES } from "../testing/shapes.ts";
import { startShape } from "../testing/start-shape.ts";
import { component, type RunRow } from "../testing/rig-runs.ts";
import { createWorkerRig, type WorkerRig } from "../testing/worker-rig.ts";
import { audit } from "./audit.ts";
import type { AuditOptions } from "./audit-options.ts";

const MAIN = fileURLToPath(new URL("../../dist/audit-main.js", import.meta.url));

let rig: WorkerRig;
beforeAll(async () => {
  rig = await createWorkerRig();
});
afterAll(() => rig.close());

interface Audited {
  isRight: boolean;
  lines: string[];
}

async function audited(options: Partial<AuditOptions> = {}): Promise<Audited> {
  const written: string[] = [];
  const { config } = rig;
  const isRight = await audit({
    repair: false,
    runs: [],
    since: null,
    ...options,
    config,
    out: { write: (chunk: string) => written.push(chunk) },
    progress: { write: () => undefined },
    signal: new AbortController().signal,
  });
  return { isRight, lines: written.join("").trimEnd().split("\n") };
}

async function startConfirmed(): Promise<RunRow> {
  const id = await rig.startRun({
    components: [component("a", { next: [{ to: "b", on: "success" }] }), component("b")],
  });
  return await untilConfirmed(rig, id);
}

test("of runs of every shape, open ones and undispatched ones nothing differs", async () => {
  const ids = await Promise.all(SHAPES.map((shape) => startShape(rig, shape)));
  await Promise.all(ids.map((id) => untilConfirmed(rig, id)));
  // A child run that is not waited for may begin after its parent's end.
  const notBegun = { parentRunId: { in: ids }, temporalRunId: null };
  await waitFor("the first task of every child run", async () => {
    return (await rig.db.workflowRun.count({ where: notBegun })) === 0;
  });
  const open = await rig.startRun({
    components: [
      component("a", { next: [{ to: "long", on: "success" }] }),
      component("long", { action: "slow", with: { ms: 60_000 } }),
    ],
  });
  await waitFor("the running step", async () => (await rig.getRun(open)).steps.length === 2);
  const undispatched = await insertRun(rig.db);
  onTestFinished(async () => {
    await rig.db.workflowRun.delete({ where: { id: undispatched } });
  });
  const { isRight, lines } = await audited();
  expect(lines).toEqual([
    expect.stringMatching(/^\d+ runs in .* s: \d+ equal, 0 different, 1 not dispatched$/),
  ]);
  expect(isRight).toBe(true);
  await rig.client.workflow.getHandle(open).terminate();
  await untilConfirmed(rig, open);
});

/** How each kind of damage is done, and named. `$` stands for the run's id. */
const DAMAGES: { name: string; sql: string; told: RegExp }[] = [
  {
    name: "another status",
    sql: "UPDATE workflow_runs SET status = 'failed' WHERE id = $",
    told: /status: table "failed", history "completed" \(event \d+\)/,
  },
  {
    name: "another end",
    sql: "UPDATE workflow_runs SET completed_at = completed_at + interval '1 minute' WHERE id = $",
    told: /completed_at_ms: table \d{4}-.*Z, history \d{4}-.*Z \(event \d+\)/,
  },
  {
    name: "an end taken back",
    sql: "UPDATE workflow_runs SET status = 'started', completed_at = NULL, confirmed_at = NULL WHERE id = $",
    told: /status: table "started", history "completed"/,
  },
  {
    name: "an error that was none",
    sql: "UPDATE workflow_runs SET error_code = 'workflow_failed', error_message = 'no' WHERE id = $",
    told: /error_message: table "no", history null/,
  },
  {
    name: "a digest",
    sql: "UPDATE workflow_runs SET steps_digest = 1 WHERE id = $",
    told: /steps_digest: table 1, history \d+/,
  },
  {
    name: "another Temporal run",
    sql: "UPDATE workflow_runs SET temporal_run_id = 'other' WHERE id = $",
    told: /temporal_run_id: table "other", history "[0-9a-f-]{36}"/,
  },
  {
    name: "a generation too many",
    sql: "UPDATE workflow_runs SET generation = 3 WHERE id = $",
    told: /steps\.a\.generation: table 0, history 3/,
  },
  {
    name: "a lost step",
    sql: "DELETE FROM workflow_run_steps WHERE run_id = $ AND step_key = 'a'",
    told: /steps\.a: table "\(no such step\)", history "success" \(event \d+\)/,
  },
  {
    name: "a step too many",
    sql: `INSERT INTO workflow_run_steps
            SELECT (r).* FROM (SELECT json_populate_record(s, '{"id":"cbwrs_x","step_key":"c","ordinal":2}') AS r
                                 FROM workflow_run_steps AS s WHERE run_id = $ AND step_key = 'a') AS copy`,
    told: /steps\.c: table "success", history "\(no such step\)"/,
  },
  {
    name: "another step's output",
    sql: `UPDATE workflow_run_steps SET output = '"B"' WHERE run_id = $ AND step_key = 'b'`,
    told: /steps\.b\.output: table "\\"B\\"", history "\\"b\\"" \(event \d+\)/,
  },
  {
    name: "an open step",
    sql: "UPDATE workflow_run_steps SET status = NULL WHERE run_id = $ AND step_key = 'b'",
    told: /steps\.b\.status: table null, history "success"/,
  },
  {
    name: "a position in the future",
    sql: "UPDATE workflow_run_steps SET mirror_length = 999 WHERE run_id = $ AND step_key = 'b'",
    told: /steps\.b\.mirror_length: table 999, history \d+/,
  },
];

test("every kind of damage is found, named and mended, all in one go", {
  timeout: 120_000,
}, async () => {
  const runs = await Promise.all(DAMAGES.map(startConfirmed));
  for (const [index, { sql }] of DAMAGES.entries()) {
    const id = runs[index]?.id ?? "";
    expect(await rig.db.$executeRawUnsafe(sql.replace("$", `'${id}'`))).toBe(1);
  }
  const found = await audited();
  expect(found.isRight).toBe(false);
  for (const [index, { told }] of DAMAGES.entries()) {
    const lines = found.lines.filter((line) => line.startsWith(runs[index]?.id ?? ""));
    expect(lines.join("\n")).toMatch(told);
  }
  expect(found.lines.at(-1)).toContain(`${DAMAGES.length} different`);
  const mended = await audited({ repair: true });
  expect(mended.isRight).toBe(true);
  expect((await audited()).isRight).toBe(true);
  for (const before of runs) {
    const after = await rig.getRun(before.id);
    expect(after.steps.map(({ stepKey, status, output }) => [stepKey, status, output])).toEqual(
      before.steps.map(({ stepKey, status, output }) => [stepKey, status, output]),
    );
    expect(after).toMatchObject({ status: "completed", completedAt: before.completedAt });
  }
});

test("steps of no run, and ends that nobody confirms, are found", async () => {
  const { id } = await startConfirmed();
  const stray = `cbwrs_${id.slice(5)}`;
  await rig.db.$executeRaw`
    INSERT INTO workflow_run_steps
    SELECT (r).* FROM (
      SELECT json_populate_record(s, json_build_object('id', ${stray}::text, 'run_id', 'cbwr_none')) AS r
        FROM workflow_run_steps AS s WHERE run_id = ${id} AND step_key = 'a') AS copy`;
  const found = await audited({ runs: [id] });
  expect(found.isRight).toBe(false);
  expect(found.lines[0]).toBe(`1 steps belong to no run: ${stray}`);
  expect((await audited({ runs: [id], repair: true })).isRight).toBe(true);
});

test("runs that are counted wrongly are told of, and counted anew by a repair", async () => {
  const { id, orgId } = await startConfirmed();
  while ((await foldRunChanges(rig.db)) > 0);
  expect(await audited({ runs: [id] })).toMatchObject({ isRight: true });
  for (const definitionId of [{ equals: "" }, { not: "" }]) {
    await rig.db.workflowRunCount.updateMany({
      where: { orgId, definitionId },
      data: { failed: { increment: 1 } },
    });
    const found = await audited({ runs: [id] });
    expect(found.lines[0]).toMatch(/^1 orgs have runs that are counted wrongly.*: cborg_/);
    expect(await audited({ runs: [id], repair: true })).toMatchObject({ isRight: true });
  }
});

test("an open run whose execution is gone is told of, and ended by a repair", async () => {
  const id = await rig.startRun({
    components: [component("long", { action: "wait", with: { duration: "10d" } })],
  });
  await waitFor("its step", async () => (await rig.getRun(id)).steps.length === 1);
  await rig.client.workflowService.deleteWorkflowExecution({
    namespace: rig.config.TEMPORAL_NAMESPACE,
    workflowExecution: { workflowId: id },
  });
  const found = await audited({ runs: [id] });
  expect(found.isRight).toBe(false);
  expect(found.lines[0]).toContain("(Temporal has no such execution)");
  const mended = await audited({ runs: [id], repair: true });
  expect(mended.isRight).toBe(true);
  expect(mended.lines.at(-1)).toContain("1 past retention");
  expect(await rig.getRun(id)).toMatchObject({ status: "failed", errorCode: "execution_lost" });
});

test("while runs go on nothing is reported falsely", { timeout: 120_000 }, async () => {
  const steps = Array.from({ length: 12 }, (_, index) =>
    component(`s${index}`, {
      action: "slow",
      with: { ms: 150 },
      next: index === 11 ? [] : [{ to: `s${index + 1}`, on: "success" }],
    }),
  );
  const ids = await Promise.all(
    Array.from({ length: 15 }, () => rig.startRun({ components: steps })),
  );
  const reconciling = new AbortController();
  const reconciler = (async () => {
    while (!reconciling.signal.aborted) await confirmClosedRuns(rig);
  })();
  let isOver = false;
  while (!isOver) {
    const { isRight, lines } = await audited({ runs: ids });
    expect(lines).toHaveLength(1);
    expect(isRight).toBe(true);
    const rows = await Promise.all(ids.map((id) => rig.getRun(id)));
    isOver = rows.every(({ confirmedAt }) => confirmedAt !== null);
  }
  reconciling.abort();
  await reconciler;
});

test("the command ends with 0, 1 or 2, and says why", async () => {
  const { id } = await startConfirmed();
  expect(await runMain(["--run", id])).toMatchObject({ code: 0, err: "" });
  await rig.db.workflowRun.update({ where: { id }, data: { errorCode: "workflow_failed" } });
  const different = await runMain(["--run", id]);
  expect(different).toMatchObject({ code: 1 });
  expect(different.out).toMatch(/error_code: table "workflow_failed", history null/);
  expect(await runMain(["--run", id, "--repair"])).toMatchObject({ code: 0 });
  expect(await runMain(["--since", "x"])).toMatchObject({ code: 2, out: "" });
  const away = await runMain([], { DATABASE_URL: "postgresql://127.0.0.1:1/x" });
  expect(away).toMatchObject({ code: 2, err: "The database of DATABASE_URL does not answer.\n" });
  const gone = await runMain([], { TEMPORAL_ADDRESS: "127.0.0.1:1" });
  expect(gone).toMatchObject({
    code: 2,
    err: "Temporal does not answer at TEMPORAL_ADDRESS.\n",
  });
});

async function runMain(
  args: string[],
  given: NodeJS.ProcessEnv = {},
): Promise<{ code: unknown; out: string; err: string }> {
  const { DATABASE_URL, TEMPORAL_ADDRESS } = rig.config;
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, DATABASE_URL, TEMPORAL_ADDRESS, ...given },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit"),
  ]);
  return { code, out, err };
}
