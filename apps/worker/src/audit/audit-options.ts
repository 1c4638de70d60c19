import { parseCommandLine } from "@truerun/shared/command-line";
import { databaseEnv, parseEnvironment, temporalEnv } from "@truerun/shared/config";
import { durationMs, isDuration } from "@truerun/shared/contracts/duration";
import { isId } from "@truerun/shared/ids";
import { z } from "zod";

export interface AuditOptions {
  repair: boolean;
  /** Only these runs. Empty: all. */
  runs: string[];
  /** Only runs that started at or after this time. */
  since: Date | null;
}

const USAGE = `Usage: npm run audit -- [--repair] [--run <id>]... [--since <24h | 2026-01-31 | 2026-01-31T12:00:00Z>]
Compares the runs in the database with Temporal's history. Ends with 0 when nothing differs, with 1 when something does.`;

const options = {
  repair: { type: "boolean" },
  run: { type: "string", multiple: true },
  since: { type: "string" },
} as const;

/**
 * @param now - what a duration after `--since` counts back from
 * @throws UsageError
 */
export function parseAuditOptions(args: readonly string[], now = new Date()): AuditOptions {
  const { values, wrong } = parseCommandLine(args, { usage: USAGE, options });
  const { repair = false, run = [], since } = values;
  const unknown = run.find((id) => !isId("cbwr", id));
  if (unknown !== undefined) throw wrong(`--run: '${unknown}' is not the id of a run`);
  const from = since === undefined ? null : toDate(since, now);
  if (from === undefined) throw wrong(`--since: '${since}' is neither a duration nor a date`);
  return { repair, runs: run, since: from };
}

/** Undefined if the text is neither a date nor a duration. */
function toDate(text: string, now: Date): Date | undefined {
  if (/^\d{4}-\d{2}-\d{2}/.test(text)) {
    const date = new Date(text);
    if (!Number.isNaN(date.getTime())) return date;
  }
  return isDuration(text) ? new Date(now.getTime() - durationMs(text)) : undefined;
}

const auditEnv = z.object({ ...databaseEnv, ...temporalEnv });

/** Where the database and Temporal are, by the worker's own variables. */
export function readAuditConfig(): z.output<typeof auditEnv> {
  return parseEnvironment(auditEnv);
}
