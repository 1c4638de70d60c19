import { cp, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PROJECT_DIR } from "@truerun/dev/project-paths";

const WORKER_DIR = join(PROJECT_DIR, "apps", "worker");

/** By action, and whether its author declares it safe to repeat in one workflow task. */
const COMPONENTS = { bench_step: "", bench_step_local: `execution: "local",` };

/**
 * What the build made of the worker, with two trivial components among its own. `transform` cannot stand for
 * both: it is local.
 *
 * @returns its main file
 */
export async function copyWorkerWithSteps(folder: string): Promise<string> {
  for (const part of ["dist", "data", "package.json"]) {
    await cp(join(WORKER_DIR, part), join(folder, part), { recursive: true });
  }
  await symlink(join(WORKER_DIR, "node_modules"), join(folder, "node_modules"));
  for (const [action, execution] of Object.entries(COMPONENTS)) {
    const file = `${action.replaceAll("_", "-")}.js`;
    await writeFile(join(folder, "dist", "components", file), toSource(action, execution));
  }
  return join(folder, "dist", "main.js");
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
