/** What must hold, whatever happens. `docs/reliability.md` states each in full. */
export const INVARIANTS = {
  I1: "every run that a caller was told of has exactly one row",
  I2: "every dispatched row has exactly one chain of Temporal runs",
  I3: "every run is terminal within 60 s of the last fault",
  I4: "the tables equal the projection of Temporal's history",
  I5: "every step has one final record",
  I6: "a component runs at least once, at most once an attempt, and once where no fault hits it",
  I7: "no 5xx but 502 and 503",
  I8: "completed_at is set exactly on terminal runs, and an end stays",
  I9: "nothing crosses orgs",
  I10: "every repeat of a key gets the same bytes",
  END: "a run that no operator touched ends as its definition says",
  TIME: "what is promised to be done within a time is done within it",
} as const;
export type Invariant = keyof typeof INVARIANTS;

/** How a broken invariant is counted. */
export type Verdict = "lost" | "doubled" | "diverged" | "broken";

export interface Violation {
  invariant: Invariant;
  verdict: Verdict;
  /** Null when it is not about a single run. */
  runId: string | null;
  what: string;
}

/** Everything that was found wrong, once. */
export interface Findings {
  readonly violations: readonly Violation[];
  add(violation: Violation): void;
  /** How many runs, or cases without a run, got this verdict. */
  count(verdict: Verdict): number;
}

export function createFindings(onAdded: (violation: Violation) => void): Findings {
  const found = new Map<string, Violation>();
  return {
    get violations() {
      return [...found.values()];
    },
    add(violation) {
      const key = JSON.stringify(violation);
      if (found.has(key)) return;
      found.set(key, violation);
      onAdded(violation);
    },
    count(verdict) {
      const of = [...found.values()].filter((violation) => violation.verdict === verdict);
      return new Set(of.map(({ runId, what }) => runId ?? what)).size;
    },
  };
}

/** One line for people. */
export function describeViolation({ invariant, runId, what }: Violation): string {
  return `${invariant} ${runId ?? "(no run)"}: ${what} — ${INVARIANTS[invariant]}`;
}
