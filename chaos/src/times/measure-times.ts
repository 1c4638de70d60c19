import type { InspectionSource } from "@truerun/worker/mirror/inspect-run";
import type { Findings } from "../checks/findings.ts";
import { toMarkdown } from "@truerun/dev/report/markdown";
import type { Scene } from "../scene.ts";
import { measureMirrorLag } from "./mirror-lag.ts";
import { measureOperator } from "./operator-times.ts";
import { measurePostgresOutage } from "./postgres-outage.ts";
import { measureTemporalOutage } from "./temporal-outage.ts";
import { isKept, type Measurement, toCells } from "./time-limit.ts";

export interface TimesContext {
  scene: Scene;
  inspection: InspectionSource;
  findings: Findings;
  onStep: (what: string) => void;
}

/** Measures everything that is promised within a time. @returns a Markdown table */
export async function measureTimes(context: TimesContext): Promise<string> {
  const { scene, inspection, findings, onStep } = context;
  const measurements: Measurement[] = [];
  onStep("the mirror's lag");
  measurements.push(await measureMirrorLag(scene));
  onStep("an operator's acts");
  measurements.push(...(await measureOperator(scene)));
  onStep("Temporal away for 30 s");
  measurements.push(...(await measureTemporalOutage(scene)));
  for (const outage of ["away", "frozen"] as const) {
    onStep(`Postgres ${outage} for 30 s`);
    measurements.push(...(await measurePostgresOutage(scene, inspection, outage)));
  }
  for (const measurement of measurements) {
    if (isKept(measurement)) continue;
    const what = toCells(measurement).join(" | ");
    findings.add({ invariant: "TIME", verdict: "broken", runId: null, what });
  }
  return toMarkdown([["what", "limit", "measured"], ...measurements.map(toCells)]);
}
