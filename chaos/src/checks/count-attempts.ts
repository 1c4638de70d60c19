import type { Client } from "@temporalio/client";
import type { Execution } from "./facts.ts";

/** Counts a step's attempts over all of a run's histories: a reset repeats steps in another Temporal run. */
export async function countAttempts(
  client: Client,
  executions: readonly Execution[],
  of: ReadonlySet<string>,
): Promise<(runId: string, stepKey: string) => number> {
  const counts = new Map<string, number>();
  for (const { runId, temporalRunId } of executions) {
    if (!of.has(runId)) continue;
    const { events } = await client.workflow.getHandle(runId, temporalRunId).fetchHistory();
    const keys = new Map<string, string>();
    for (const event of events ?? []) {
      const scheduled = event.activityTaskScheduledEventAttributes;
      if (scheduled != null) keys.set(String(event.eventId), scheduled.activityId ?? "");
      const started = event.activityTaskStartedEventAttributes;
      const key = started == null ? undefined : keys.get(String(started.scheduledEventId));
      if (started == null || key === undefined) continue;
      const place = `${runId}:${key}`;
      counts.set(place, (counts.get(place) ?? 0) + (started.attempt ?? 1));
      keys.delete(String(started.scheduledEventId));
    }
    // A history does not tell the attempts of an activity that was still under way at its end.
    for (const key of keys.values()) counts.set(`${runId}:${key}`, Number.POSITIVE_INFINITY);
  }
  // Unlimited for a batch's items, which are in a history of their own.
  return (runId, stepKey) => counts.get(`${runId}:${stepKey}`) ?? Number.POSITIVE_INFINITY;
}
