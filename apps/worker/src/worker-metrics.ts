import { Counter, DURATION_BUCKETS, Gauge, Histogram, Registry } from "@truerun/shared/metrics";

/** What was wrong with rows that were rewritten from Temporal's history. */
export type RepairKind =
  /** The rows of a closed run did not say what Temporal says: terminated, timed out, or records lost. */
  | "closed"
  /** The run had a newer Temporal run: an operator has reset it. */
  | "reset"
  /** An open run had moved on without its records. */
  | "open"
  /** Temporal no longer knows the run. */
  | "lost";

/** What the worker's loops report about themselves. Labels are closed sets, never ids. */
export interface WorkerMetrics {
  repaired(kind: RepairKind): void;
  /** How many open runs have a workflow task that fails again and again. */
  stuckRuns(count: number): void;
  /** How many runs wait for their dispatch, and how old the oldest is (0 when none). */
  undispatched(count: number, oldestSeconds: number): void;
  /** One pass of a periodic loop, finished or failed. */
  passDuration(loop: string, seconds: number): void;
}

/** What the Temporal worker and its mirror report about themselves. */
export interface RunMetrics {
  /** How many executions are in memory: read whenever metrics are asked for. */
  watchCache(count: () => number): void;
  /** A record that the database has taken just now; `mirror_time_ms` is the workflow's own time. */
  mirrored(this: void, record: { mirror_time_ms: number }): void;
  /** Counts that go on changing: they are read whenever metrics are asked for. */
  watchMirror(counts: Readonly<{ held: number; dropped: number; written: number }>): void;
}

export interface WorkerMetricsRegistry extends WorkerMetrics, RunMetrics {
  registry: Registry;
}

/**
 * For gauges that a leader's loop fills. Any worker may lead the next pass, so what was not measured for this
 * long is left out here: another worker shows it.
 */
const FORGET_AFTER_MS = 60_000;

/** Counts whether or not the metrics are served. */
export function createWorkerMetrics(): WorkerMetricsRegistry {
  const registry = new Registry();
  const registers = [registry];
  const repairs = new Counter({
    name: "truerun_repairs_total",
    help: "Runs whose rows were written anew from Temporal's history, by what was wrong",
    labelNames: ["kind"],
    registers,
  });
  const stuck = createMeasured(registry, {
    name: "truerun_stuck_runs",
    help: "Open runs whose workflow task fails again and again",
  });
  const undispatched = createMeasured(registry, {
    name: "truerun_undispatched_runs",
    help: "Runs that Temporal has not taken yet",
  });
  const oldest = createMeasured(registry, {
    name: "truerun_undispatched_oldest_seconds",
    help: "Age of the oldest run that Temporal has not taken yet",
  });
  const passes = new Histogram({
    name: "truerun_pass_duration_seconds",
    help: "Passes of the worker's periodic loops",
    labelNames: ["loop"],
    buckets: DURATION_BUCKETS,
    registers,
  });
  return {
    registry,
    repaired: (kind) => repairs.inc({ kind }),
    stuckRuns: (count) => stuck.set(count),
    undispatched(count, oldestSeconds) {
      undispatched.set(count);
      oldest.set(oldestSeconds);
    },
    passDuration: (loop, seconds) => passes.observe({ loop }, seconds),
    ...createRunMetrics(registry),
  };
}

function createRunMetrics(registry: Registry): RunMetrics {
  const registers = [registry];
  const lag = new Histogram({
    name: "truerun_mirror_lag_seconds",
    help: "From the workflow task that made a record until the record was committed",
    buckets: DURATION_BUCKETS,
    registers,
  });
  return {
    // The clocks of Temporal and of this machine may differ by a little.
    mirrored: (record) => lag.observe(Math.max(0, Date.now() - record.mirror_time_ms) / 1_000),
    watchCache(count) {
      new Gauge({
        name: "truerun_cached_workflows",
        help: "Executions, open runs and batches, whose state is in memory",
        registers,
        collect() {
          this.set(count());
        },
      });
    },
    watchMirror(counts) {
      const about = (what: string) => ({ help: `Records of the mirror: ${what}`, registers });
      new Gauge({
        name: "truerun_mirror_held_records",
        ...about("held until the database takes them"),
        collect() {
          this.set(counts.held);
        },
      });
      for (const [name, what] of COUNTED) {
        new Counter({
          name: `truerun_mirror_${name}_records_total`,
          ...about(what),
          collect() {
            this.reset();
            this.inc(counts[name]);
          },
        });
      }
    },
  };
}

const COUNTED = [
  ["written", "taken by the database"],
  ["dropped", "given up; the reconciler restores them"],
] as const;

function createMeasured(
  registry: Registry,
  about: { name: string; help: string },
): { set(value: number): void } {
  let measuredAt = Number.NEGATIVE_INFINITY;
  const gauge = new Gauge({
    ...about,
    registers: [registry],
    collect() {
      if (performance.now() - measuredAt > FORGET_AFTER_MS) this.remove();
    },
  });
  return {
    set(value) {
      measuredAt = performance.now();
      gauge.set(value);
    },
  };
}
