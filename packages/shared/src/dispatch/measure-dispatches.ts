import { Counter, DURATION_BUCKETS, Histogram, type Registry } from "../metrics.ts";
import type { Dispatcher } from "./dispatcher.ts";

/** The same dispatcher, with each try's result and lag recorded in the registry. */
export function measureDispatches(dispatcher: Dispatcher, registry: Registry): Dispatcher {
  const registers = [registry];
  const tries = new Counter({
    name: "truerun_dispatches_total",
    help: "Tries to hand a run to Temporal, by what came of them",
    labelNames: ["outcome"],
    registers,
  });
  const lag = new Histogram({
    name: "truerun_dispatch_lag_seconds",
    help: "From a run's creation until Temporal took it",
    buckets: [...DURATION_BUCKETS, 300, 1_800, 7_200, 43_200, 86_400],
    registers,
  });
  return {
    async dispatch(run) {
      const startedAt = performance.now();
      const result = await dispatcher.dispatch(run);
      tries.inc({ outcome: result.kind });
      if (result.kind === "dispatched") {
        const trySeconds = (performance.now() - startedAt) / 1_000;
        // The row's time is floored to the second, so a run's true age may be up to a second less.
        const ageSeconds = Date.now() / 1_000 - run.startedAt - 1;
        lag.observe(Math.max(trySeconds, ageSeconds));
      }
      return result;
    },
  };
}
