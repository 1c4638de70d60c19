import { copyWorker } from "@truerun/dev/copy-worker";

/** Each action type with the declaration of how it is executed, if any. */
const COMPONENTS = { bench_step: "", bench_step_local: `execution: "local",` };

/**
 * Copies the built worker, and adds two trivial components to its own. `transform` cannot stand in for both: it
 * is local.
 *
 * @returns the copy's main file
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
