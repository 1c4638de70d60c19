import { createClosedRunsPass } from "./closed-runs.ts";
import { createOpenRunsPass } from "./open-runs.ts";
import { createFailures } from "./for-each-run.ts";
import type { ReconcileOptions } from "./repair-run.ts";
import { createResetRunsPass } from "./reset-runs.ts";
import type { ReconcileLoop } from "./start-reconciler.ts";
import { measureUndispatched } from "./undispatched-runs.ts";

/** All loops that make the tables equal to what Temporal has. */
export function createReconcileLoops(
  services: Omit<ReconcileOptions, "failures">,
): readonly ReconcileLoop[] {
  const options = { ...services, failures: createFailures(services.logger) };
  return [
    { name: "closed runs", intervalMs: 1_000, pass: createClosedRunsPass(options) },
    { name: "reset runs", intervalMs: 2_000, pass: createResetRunsPass(options) },
    { name: "open runs", intervalMs: 1_000, pass: createOpenRunsPass(options) },
    { name: "undispatched runs", intervalMs: 5_000, pass: () => measureUndispatched(options) },
  ];
}
