// For tests only: keeps a history, and what it hands to the mirror, for later releases to replay.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { historyToJSON } from "@temporalio/common/lib/proto-utils.js";
import type { MirrorRecord } from "../mirror/mirror-record.ts";
import type { History } from "@truerun/shared/describe-execution";
import type { Replayer } from "../mirror/replay-history.ts";

/** The content of one file in `histories/`. */
export interface RecordedHistory {
  workflow_run_id: string;
  /** What the mirror was handed, in order. */
  mirror: MirrorRecord[];
  history: unknown;
}

export const HISTORIES = fileURLToPath(new URL("../workflows/histories", import.meta.url));
/** Set by `npm run record-histories`. */
export const isRecording = process.env["RECORD_HISTORIES"] === "1";

/** Writes `histories/<file>`. */
export async function saveHistory(
  replayer: Replayer,
  { file, workflowId, fetched }: { file: string; workflowId: string; fetched: History },
): Promise<void> {
  const history = JSON.parse(historyToJSON(fetched), withoutMachine) as unknown;
  const mirror = await replayer.replay(history as History, workflowId);
  const content: RecordedHistory = { workflow_run_id: workflowId, mirror, history };
  await writeFile(join(HISTORIES, file), `${JSON.stringify(content, null, 1)}\n`);
}

/** Removes what tells of the recording machine and takes no part in a replay. */
function withoutMachine(name: string, value: unknown): unknown {
  if (name === "stackTrace") return undefined;
  const isIdentity = typeof value === "string" && /^\d+@/.test(value);
  return isIdentity ? "recorder" : value;
}
