import type { Facts } from "../checks/facts.ts";
import { type FaultKind, FAULT_KINDS } from "../plan/fault.ts";
import { groupBy } from "../checks/group-by.ts";
import { hasHappened } from "../faults/fault-record.ts";
import { toMarkdown } from "@truerun/dev/report/markdown";
import { findWorstRepair } from "./repair-time.ts";

/**
 * The result, as a Markdown table.
 *
 * @param undisturbed - steps whose executions were held to an exact number
 */
export function toResultTable(facts: Facts, undisturbed: number): string {
  const { runs, steps, sent, findings, reads, executionsOf } = facts;
  const ambiguous = sent.filter(({ isAmbiguous }) => isAmbiguous).length;
  const executions = [...executionsOf.values()].reduce((sum, { length }) => sum + length, 0);
  const counts = countFaults(facts);
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const broken = findings.count("broken");
  return toMarkdown([
    ["what", "count"],
    ["faults", `${all}`],
    ...FAULT_KINDS.map((kind) => [`faults: ${kind}`, `${counts.get(kind) ?? 0}`]),
    ["runs", `${runs.size}`],
    ["steps", `${steps.length}`],
    ["executions of components with an effect", `${executions}`],
    ["steps that no fault could hit, done exactly as often as they say", `${undisturbed}`],
    ["requests without a key whose answer was lost", `${ambiguous}`],
    ["reads by callers; not answered, or 503", `${reads.looks}; ${reads.unavailable}`],
    ["lost", `${findings.count("lost")}`],
    ["doubled", `${findings.count("doubled")}`],
    ["diverged", `${findings.count("diverged")}`],
    ...(broken === 0 ? [] : [["otherwise wrong", `${broken}`]]),
    ["worst repair time", `${((findWorstRepair(facts)?.ms ?? 0) / 1_000).toFixed(1)} s`],
  ]);
}

function countFaults({ faults }: Facts): Map<FaultKind, number> {
  const happened = groupBy(faults.filter(hasHappened), ({ fault }) => fault.kind);
  return new Map([...happened].map(([kind, { length }]) => [kind, length]));
}
