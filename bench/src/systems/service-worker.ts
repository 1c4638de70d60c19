import { copyWorker } from "@truerun/dev/copy-worker";

/** By action, and whether its author declares it safe to repeat in one workflow task. */
const COMPONENTS = { bench_step: "", bench_step_local: `execution: "local",` };

/**
 * What the build made of the worker, with two trivial components among its own. `transform` cannot stand for
 * both: it is local.
 *
 * @returns its main file
 */
export async function copyWorkerWithSteps(folder: string): Promise<string> {
  const files = Object.entries(COMPONENTS).map(([action, execution]) => [
    `${action.replaceAll("_", "-")}.js`,
    toSource(action, execution),
  ]);
  return await copyWorker(folder, Object.fromEntries(files) as Record<string, string>);
}

function toSource(action: string, execution: string): string {
  return `import { z } from "zod";
import { defineComponent } from "../component.js";
export default defineComponent({
  action: "${action}",
  title: "Bench step",
  description: "Gives its value back.",
  ${execution}
  input: z.strictObject({ value: z.unknown() }),
  output: z.unknown(),
  run: ({ input }) => Promise.resolve({ output: input.value }),
});
`;
}
