// The statements that write a run's rows, from its request to its end.
import { createHash } from "node:crypto";
import { insertRun } from "@truerun/api/workflow-runs/run-statement";
import { hashApiKey } from "@truerun/shared/api-keys";
import { createDatabase, type Database } from "@truerun/shared/db";
import { newId } from "@truerun/shared/ids";
import { createMirrorDatabase } from "@truerun/worker/mirror/mirror-database";
import type { RunEnd, StepRow } from "@truerun/worker/mirror/mirror-record";
import { writeRecords } from "@truerun/worker/mirror/mirror-statement";
import { definitionName } from "../load/load-plan.ts";

/** A database with an org that has a key and definitions. */
export interface WriteTarget {
  url: string;
  key: string;
}

const IN_FLIGHT = 8;
/** Runs whose records the mirror writes together. */
const GROUP = 8;
const STEPS = 3;

/** Connections set up as a gateway's and a worker's are. */
export interface Writer {
  db: Database;
  mirrorDb: Database;
  keyHash: Uint8Array<ArrayBuffer>;
  close(): Promise<void>;
}

export function openWriter({ url, key }: WriteTarget): Writer {
  const db = createDatabase({
    url,
    poolSize: IN_FLIGHT,
    applicationName: "bench",
    planOnce: true,
    byIndex: true,
  });
  const mirrorDb = createMirrorDatabase(url, 5);
  return {
    db,
    mirrorDb,
    keyHash: hashApiKey(key),
    close: async () => void (await Promise.all([db.$disconnect(), mirrorDb.$disconnect()])),
  };
}

/**
 * Writes runs as the service does, several at a time.
 *
 * @returns how long it took, in ms
 */
export async function writeRuns(writer: Writer, runs: number): Promise<number> {
  const startedAt = performance.now();
  let begun = 0;
  const lane = async (): Promise<void> => {
    const group: string[] = [];
    while (begun < runs) {
      begun += 1;
      group.push(await insert(writer));
      if (group.length === GROUP || begun >= runs) await mirror(writer, group.splice(0));
    }
    if (group.length > 0) await mirror(writer, group);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return performance.now() - startedAt;
}

const REQUEST_HASH = new Uint8Array(createHash("sha256").update("{}").digest());

async function insert({ db, keyHash }: Writer): Promise<string> {
  const id = newId("cbwr");
  const row = await insertRun(db, {
    credential: { keyHash },
    workflowName: definitionName(0),
    idempotencyKey: id,
    id,
    inputText: '{"vendor_filter":{"tags":["processes_pii"]},"due_date":"2026-06-30"}',
    requestHash: REQUEST_HASH,
    documentRoomBytes: 1_000_000,
    sweepAfterMs: 60_000,
    deadline: Date.now() / 1_000 + 60,
  });
  if (row?.started_at == null) throw new Error("The run was not inserted");
  return id;
}

/** As a worker mirrors the group: each run's steps one by one, then its end. */
async function mirror({ mirrorDb }: Writer, ids: readonly string[]): Promise<void> {
  for (let ordinal = 1; ordinal <= STEPS; ordinal += 1) {
    await writeAll(
      mirrorDb,
      ids.map((id) => toStep(id, ordinal)),
    );
  }
  await writeAll(mirrorDb, ids.map(toEnd));
}

async function writeAll(db: Database, records: (StepRow | RunEnd)[]): Promise<void> {
  const { refused } = await writeRecords(db, records);
  if (refused.length > 0) throw new Error(`Not written: ${JSON.stringify(refused[0])}`);
}

function positionOf(run_id: string, at: number) {
  return { temporal_run_id: run_id, mirror_length: at, mirror_time_ms: at, mirror_seq: at };
}

function toStep(runId: string, ordinal: number): StepRow {
  const hex = newId("cbwc").slice(5);
  const now = Date.now();
  return {
    kind: "step",
    run_id: runId,
    id: `cbwrs_${hex}`,
    ordinal,
    step_key: `step_${ordinal}`,
    item_index: null,
    component_id: `cbwc_${hex}`,
    component_name: `Step ${ordinal}`,
    action_type: "transform",
    status: "success",
    message: null,
    attempt: 1,
    artifacts: "[]",
    output: `{"count":${ordinal}}`,
    digest: 1,
    started_at_ms: now,
    finished_at_ms: now,
    created_at_ms: now,
    updated_at_ms: now,
    ...positionOf(runId, ordinal),
  };
}

function toEnd(runId: string): RunEnd {
  return {
    kind: "end",
    run_id: runId,
    status: "completed",
    error_code: null,
    error_message: null,
    completed_at_ms: Date.now(),
    step_count: STEPS,
    steps_digest: STEPS,
    ...positionOf(runId, STEPS + 1),
  };
}
