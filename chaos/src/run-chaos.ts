import { mkdir } from "node:fs/promises";
import { createLogger } from "@truerun/shared/logger";
import type { InspectionSource } from "@truerun/worker/mirror/inspect-run";
import { createReplayer } from "@truerun/worker/mirror/replay-history";
import { installTemporalRuntime } from "@truerun/worker/temporal-runtime";
import { WORKFLOW_BUNDLE } from "@truerun/worker/workflow-bundle-path";
import { checkEffects } from "./checks/check-effects.ts";
import { checkOrgs } from "./checks/check-orgs.ts";
import { checkProjection } from "./checks/check-projection.ts";
import { checkCallers, checkChains, checkEnds, checkRecords } from "./checks/check-rows.ts";
import { checkSightings } from "./checks/check-sightings.ts";
import { type Facts, listExecutions, readSteps } from "./checks/facts.ts";
import { createFindings, describeViolation, type Findings } from "./checks/findings.ts";
import { waitForRest } from "./checks/wait-for-rest.ts";
import { planLoad } from "./load/plan-load.ts";
import { SHAPES } from "./load/shapes.ts";
import type { ChaosOptions } from "./options.ts";
import { describeFault } from "./plan/fault.ts";
import { planFaults } from "./plan/plan-faults.ts";
import { type Display, toBar } from "@truerun/dev/report/display";
import { findWorstRepair } from "./report/repair-time.ts";
import { toResultTable } from "./report/result-table.ts";
import { type Scene, startScene } from "./scene.ts";
import { measureTimes } from "./times/measure-times.ts";
import { runStorm, settle } from "./storm.ts";

export interface ChaosContext {
  options: ChaosOptions;
  /** What was typed, for the table. */
  command: string;
  /** A folder of its own for everything that the run writes. */
  dataDir: string;
  temporalCliPath: string | undefined;
  display: Display;
}

/** @returns whether everything held */
export async function runChaos(context: ChaosContext): Promise<boolean> {
  const { display, dataDir, temporalCliPath } = context;
  await mkdir(dataDir, { recursive: true });
  const findings = createFindings((violation) => display.line(`✗ ${describeViolation(violation)}`));
  display.line(`Starting 2 gateways, 2 workers, Temporal and Postgres in ${dataDir}`);
  const say = (text: string): void => display.line(`    ${text}`);
  const scene = await startScene({ dataDir, temporalCliPath, say });
  try {
    // Otherwise the replayer's worker logs every change of its state.
    installTemporalRuntime(createLogger({ name: "truerun-chaos", level: "error" }), "error");
    const replayer = createReplayer({ bundlePath: WORKFLOW_BUNDLE });
    try {
      const inspection = { db: scene.db, client: scene.client, replayer };
      await play(context, { scene, findings, inspection });
    } finally {
      await replayer.close();
    }
  } finally {
    display.status("Stopping everything");
    await scene.stop();
    display.close();
  }
  for (const violation of findings.violations) display.line(describeViolation(violation));
  return findings.violations.length === 0;
}

interface Play {
  scene: Scene;
  findings: Findings;
  inspection: InspectionSource;
}

async function play(context: ChaosContext, { scene, findings, inspection }: Play): Promise<void> {
  const { display, command, options } = context;
  const tables: string[] = [];
  if (options.runs > 0) {
    const facts = await storm(context, scene, findings);
    const undisturbed = await check(facts, inspection, context);
    await checkOrgs(scene, facts);
    tables.push(toResultTable(facts, undisturbed));
    const worst = findWorstRepair(facts);
    if (worst !== null) display.line(`The worst repair time was that of ${worst.runId}`);
  }
  if (options.times) {
    const onStep = (what: string): void => display.status(`Measuring: ${what}`);
    tables.push(await measureTimes({ scene, inspection, findings, onStep }));
  }
  display.line(["", command, "", ...tables.map((table) => `${table}\n`)].join("\n"));
}

async function storm(context: ChaosContext, scene: Scene, findings: Findings): Promise<Facts> {
  const { display } = context;
  const { seed, minutes, runs, faults: count } = context.options;
  const durationMs = minutes * 60_000;
  const faults = planFaults({ seed, durationMs, count });
  const load = planLoad({ seed, durationMs, runs });
  display.line(`Faults of seed ${seed}:`);
  for (const fault of faults) {
    display.line(`  at ${(fault.atMs / 1_000).toFixed(1)} s: ${describeFault(fault)}`);
  }
  const loadEndsAt = Date.now() + durationMs;
  const result = await runStorm({ scene, load, faults, durationMs, findings, display });
  // Counts from the last fault and the end of the load, not from when the last caller was done.
  const lastFaultAt = Math.max(loadEndsAt, ...result.faults.map(({ to }) => to));
  const shapes = new Map(SHAPES.map((shape) => [shape.name, shape]));
  const rows = await waitForRest(scene.db, {
    lastFaultAt,
    shapes,
    findings,
    onLook: (open) => display.status(`Calm: ${open} runs are not at rest yet`),
  });
  display.status("Calm: repeating every request that has a key");
  await settle(result, scene, findings);
  await result.watch.stop();
  return {
    runs: rows,
    steps: await readSteps(scene.db),
    executions: await listExecutions(scene.client),
    sent: result.sent,
    faults: result.faults,
    shapes,
    sightings: result.watch.sightings,
    reads: result.watch.counts,
    executionsOf: scene.ledger.executions,
    client: scene.client,
    findings,
  };
}

async function check(
  facts: Facts,
  inspection: InspectionSource,
  { display }: ChaosContext,
): Promise<number> {
  checkCallers(facts);
  checkChains(facts);
  checkRecords(facts);
  checkEnds(facts);
  checkSightings(facts);
  const undisturbed = await checkEffects(facts);
  let checked = 0;
  await checkProjection(facts, inspection, () => {
    checked += 1;
    const share = toBar(checked / facts.runs.size);
    display.status(`${share}  ${checked} of ${facts.runs.size} runs compared with their history`);
  });
  return undisturbed;
}
