import { findImpossible } from "../watch/sightings.ts";
import { actsOf, type Facts } from "./facts.ts";

/** I8, by what callers saw. */
export function checkSightings(facts: Facts): void {
  const acts = actsOf(facts);
  for (const [runId, sightings] of facts.sightings) {
    const resets = (acts.get(runId) ?? [])
      .filter(({ kind }) => kind === "reset")
      .map(({ requestedAt }) => requestedAt);
    for (const what of findImpossible(sightings, { resets, faults: facts.faults })) {
      facts.findings.add({ invariant: "I8", verdict: "diverged", runId, what: `it was ${what}` });
    }
  }
}
