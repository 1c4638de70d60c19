import { parseArgs } from "node:util";
import { databaseEnv, logEnv, parseEnvironment, temporalEnv } from "@truerun/shared/config";
import { durationMs } from "@truerun/shared/contracts/duration";
import { z } from "zod";

export interface AuditOptions {
  repair: boolean;
  /** Only these runs. Empty: all. */
  runs: string[];
  /** Only runs that started at or after it. */
  since: Date | null;
}

/** The arguments cannot be used. The message says what is wrong, and how they should be. */
export class UsageError extends Error {
  override name = "UsageError";
}

const USAGE = `Usage: npm run audit -- [--repair] [--run <id>]... [--since <24h | 2026-01-31 | 2026-01-31T12:00:00Z>]
Compares the runs in the database with Temporal's history. Ends with 0 when nothing differs, with 1 when something does.`;

/**
 * @param now - what a duration after `--since` counts back from
 * @throws UsageError
 */
export function parseAuditOptions(args: readonly string[], now = new Date()): AuditOptions {
  const { repair = false, run = [], since } = parse(args);
  const wrong = run.find((id) => !/^cbwr_[0-9a-f]{32}$/.test(id));
  if (wrong !== undefined) throw usageError(`--run: '${wrong}' is not the id of a run`);
  return { repair, runs: run, since: since === undefined ? null : toDate(since, now) };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        repair: { type: "boolean" },
        run: { type: "string", multiple: true },
        since: { type: "string" },
      },
    }).values;
  } catch (error) {
    throw usageError(error instanceof Error ? error.message : String(error));
  }
}

function toDate(text: string, now: Date): Date {
  if (/^\d{4}-\d{2}-\d{2}/.test(text)) {
    const date = new Date(text);
    if (!Number.isNaN(date.getTime())) return date;
  }
  try {
    return new Date(now.getTime() - durationMs(text));
  } catch {
    throw usageError(`--since: '${text}' is neither a duration nor a date`);
  }
}

function usageError(fault: string): UsageError {
  return new UsageError(`${fault}\n${USAGE}`);
}

const auditEnv = z.object({ ...databaseEnv, ...temporalEnv, ...logEnv });

/** Where the database and Temporal are, as the worker is told. */
export function readAuditConfig(): z.output<typeof auditEnv> {
  return parseEnvironment(auditEnv);
}
