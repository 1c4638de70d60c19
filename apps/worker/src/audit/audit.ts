import { createDatabase } from "@truerun/shared/db";
import { createLogger } from "@truerun/shared/logger";
import { toDataConverter } from "@truerun/shared/payloads/data-converter";
import { createTemporalClient } from "@truerun/shared/temporal-connection";
import { withTemporalDeadline } from "@truerun/shared/temporal-deadline";
import { boundCalls } from "../bound-calls.ts";
import { createReplayer } from "../mirror/replay-history.ts";
import { WORKFLOW_BUNDLE } from "../workflow-bundle-path.ts";
import type { AuditOptions, readAuditConfig } from "./audit-options.ts";
import {
  createProgressBar,
  type Output,
  toInvariantLine,
  toLines,
  toTotals,
} from "./audit-report.ts";
import { auditRuns, type RunVerdict } from "./audit-runs.ts";
import { checkInvariants } from "./check-invariants.ts";
import { repairRuns } from "./repair-runs.ts";
import { recountWrongOrgs } from "./wrong-counts.ts";

export interface Audit extends AuditOptions {
  config: ReturnType<typeof readAuditConfig>;
  out: Output;
  /** Where the progress is shown. */
  progress: Output;
  signal: AbortSignal;
}

/** Statements over whole tables take their time. */
const STATEMENT_TIMEOUT_MS = 120_000;
const REACH_TEMPORAL_MS = 10_000;
/** How long Temporal may take for a call. */
const CALL_TIMEOUT_MS = 60_000;

/**
 * Compares, prints what differs, and repairs it if asked to; then compares what it repaired once more.
 *
 * @returns whether everything is right (in the end)
 * @throws when Temporal or the database cannot be reached
 */
export async function audit(options: Audit): Promise<boolean> {
  const { config, out, repair } = options;
  const logger = createLogger({ name: "truerun-audit", level: "silent" });
  const db = createDatabase({
    url: config.DATABASE_URL,
    poolSize: 5,
    applicationName: "truerun-audit",
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
  const temporal = createTemporalClient(config, { callTimeoutMs: CALL_TIMEOUT_MS });
  const { client } = temporal;
  const dataConverter = toDataConverter(config);
  const replayer = createReplayer({ bundlePath: WORKFLOW_BUNDLE, dataConverter });
  const source = { db, client, replayer, logger };
  try {
    await withTemporalDeadline(client.connection, REACH_TEMPORAL_MS, () =>
      client.workflowService.describeNamespace({ namespace: config.TEMPORAL_NAMESPACE }),
    );
    return await boundCalls(temporal.connection)(options.signal, async () => {
      const wrong = await look(source, options);
      if (wrong.count === 0 || !repair) return wrong.count === 0;
      await repairRuns(source, wrong.verdicts);
      await recountWrongOrgs(db);
      out.write("Repaired; looking again.\n");
      const left = await look(source, { ...options, runs: [...wrong.verdicts.keys()] });
      return left.count === 0;
    });
  } finally {
    await replayer.close();
    await temporal.close();
    await db.$disconnect();
  }
}

type Source = Parameters<typeof repairRuns>[0];

interface Wrong {
  count: number;
  /** Of the runs that have something wrong. */
  verdicts: Map<string, RunVerdict>;
}

async function look(source: Source, options: Audit): Promise<Wrong> {
  const { out, signal, runs, since } = options;
  const startedAt = performance.now();
  const bar = createProgressBar(options.progress);
  const scope = { ...source, runs, since, signal };
  const verdicts = await auditRuns({ ...scope, onProgress: (each) => bar.show(each) });
  bar.clear();
  const wrong = new Map([...verdicts].filter(([id, verdict]) => toLines(id, verdict).length > 0));
  const invariants = await checkInvariants(source.db);
  const lines = [
    ...[...wrong].flatMap(([id, verdict]) => toLines(id, verdict)),
    ...invariants.map(toInvariantLine),
    toTotals(verdicts, (performance.now() - startedAt) / 1_000),
  ];
  out.write(`${lines.join("\n")}\n`);
  return { count: wrong.size + invariants.length, verdicts: wrong };
}
