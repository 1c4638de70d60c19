import { isTerminal, type RunStatus } from "@truerun/shared/contracts/statuses";

/** A period in which every look at a run showed the same end, or none. Times are unix milliseconds. */
export interface Sighting {
  status: RunStatus;
  completedAt: number | null;
  /** When the first look that showed it was answered, and when the last one was sent. */
  firstDoneAt: number;
  lastSentAt: number;
}

/** A look at a run through the API. */
export interface Look {
  status: RunStatus;
  completedAt: number | null;
  sentAt: number;
  doneAt: number;
}

/** Adds a look to a run's sightings, oldest first. Looks at one run do not overlap. */
export function addLook(sightings: Sighting[], look: Look): void {
  const last = sightings.at(-1);
  if (last?.status === look.status && last.completedAt === look.completedAt) {
    last.lastSentAt = look.sentAt;
    return;
  }
  const { status, completedAt, sentAt: lastSentAt, doneAt: firstDoneAt } = look;
  sightings.push({ status, completedAt, firstDoneAt, lastSentAt });
}

export interface Interval {
  from: number;
  to: number;
}

/** What can explain that a run's end was taken back or changed. */
export interface Explanations {
  /** When operators asked for a reset of this run. */
  resets: readonly number[];
  /** Faults, during which nothing can be confirmed. */
  faults: readonly Interval[];
}

/** How long an end that Temporal then refuses may stand. */
const PROVISIONAL_MS = 2_000;

/** What a run's sightings show that must never be seen. */
export function findImpossible(
  sightings: readonly Sighting[],
  { resets, faults }: Explanations,
): string[] {
  const found: string[] = [];
  for (const [index, after] of sightings.entries()) {
    if ((after.completedAt !== null) !== isTerminal(after.status)) {
      found.push(`${after.status} with completed_at ${after.completedAt}`);
    }
    const before = sightings[index - 1];
    if (before === undefined || !isTerminal(before.status)) continue;
    if (before.status === after.status) continue;
    if (resets.some((at) => at <= after.firstDoneAt)) continue;
    const stoodMs = withoutFaults({ from: before.firstDoneAt, to: before.lastSentAt }, faults);
    if (after.status !== "started" && stoodMs <= PROVISIONAL_MS) continue;
    found.push(`${before.status} for ${stoodMs} ms, then ${after.status}`);
  }
  return found;
}

/** How much of an interval lies outside of all faults, in milliseconds. */
export function withoutFaults({ from, to }: Interval, faults: readonly Interval[]): number {
  let reached = from;
  let free = 0;
  for (const fault of faults.toSorted((a, b) => a.from - b.from)) {
    if (fault.to <= reached || fault.from >= to) continue;
    free += Math.max(0, fault.from - reached);
    reached = fault.to;
  }
  return free + Math.max(0, to - reached);
}
