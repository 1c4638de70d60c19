/** What is done to a component, as reports call it. */
export type Scenario =
  | "undisturbed"
  | "killed before the effect"
  | "killed during the effect"
  | "killed after the effect"
  | "delivered twice"
  | "canceled during the effect"
  | "timed out during the effect";

/** What a scenario left behind. */
export interface ScenarioEnd {
  scenario: Scenario;
  idempotencyKey: string;
  runStatus: string;
  /** The step's message; null if it has none. */
  message: string | null;
  /** Attempts that Temporal counted; null where it does not say, as for a canceled step. */
  attempts: number | null;
  effects: readonly string[];
}

export interface ScenarioReport extends ScenarioEnd {
  /** Null if everything is as it must be. */
  fault: string | null;
}

export interface RetrySafetyReport {
  action: string;
  /** What happens when nothing goes wrong, and must happen exactly as often whatever does. */
  expected: readonly string[];
  scenarios: ScenarioReport[];
}

/** An effect happened too often or not at all, or a run did not recover from the fault. */
export class NotRetrySafeError extends Error {
  override name = "NotRetrySafeError";
  readonly report: RetrySafetyReport;

  constructor(report: RetrySafetyReport) {
    const lines = report.scenarios
      .filter(({ fault }) => fault !== null)
      .map(({ scenario, fault, idempotencyKey }) => `  ${scenario}: ${fault} (${idempotencyKey})`);
    super(`${report.action} is not retry safe:\n${lines.join("\n")}`);
    this.report = report;
  }
}

/** @param ends - the undisturbed scenario first: it says what is expected of the others */
export function toReport(action: string, ends: readonly ScenarioEnd[]): RetrySafetyReport {
  const expected = ends[0]?.effects ?? [];
  const scenarios = ends.map((end) => ({ ...end, fault: faultOf(end, expected) }));
  return { action, expected, scenarios };
}

function faultOf(end: ScenarioEnd, expected: readonly string[]): string | null {
  const isCanceled = end.scenario === "canceled during the effect";
  const faults = [...new Set([...expected, ...end.effects])].flatMap((effect) => {
    const [wanted, seen] = [countOf(expected, effect), countOf(end.effects, effect)];
    // What is canceled may be left undone.
    const isRight = seen === wanted || (isCanceled && seen < wanted);
    return isRight ? [] : [`${JSON.stringify(effect)} happened ${seen}×, not ${wanted}×`];
  });
  const status = isCanceled ? "canceled" : "completed";
  if (end.runStatus !== status) {
    const reason = end.message === null ? "" : `: ${end.message}`;
    faults.push(`the run ended ${end.runStatus}, not ${status}${reason}`);
  }
  return faults.length === 0 ? null : faults.join("; ");
}

function countOf(effects: readonly string[], effect: string): number {
  return effects.filter((each) => each === effect).length;
}
