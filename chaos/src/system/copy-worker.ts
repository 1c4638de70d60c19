import { cp, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PROJECT_DIR } from "@truerun/dev/project-paths";

const WORKER = join(PROJECT_DIR, "apps", "worker");

/** The one component that is the chaos' own: the shipped ones that call others run outside of workflow tasks. */
const LEDGER_NOTE = `import { ApplicationFailure } from "@temporalio/common";
import { z } from "zod";
import { defineComponent } from "../component.js";
export default defineComponent({
  action: "ledger_note",
  title: "Note in the ledger",
  description: "Calls the ledger from inside of its workflow task.",
  execution: "local",
  input: z.strictObject({ url: z.string() }),
  output: z.strictObject({}),
  async run({ input, signal, idempotencyKey }) {
    const headers = { "idempotency-key": idempotencyKey };
    const response = await fetch(input.url, { method: "POST", headers, signal });
    await response.arrayBuffer();
    if (response.status === 400) throw ApplicationFailure.nonRetryable("Refused", "Refused");
    if (!response.ok) throw new Error("The ledger answered " + response.status);
    return { output: {} };
  },
});
`;

/**
 * What the build made of the worker, with a component that calls the ledger from inside of its workflow task.
 *
 * @returns its main file
 */
export async function copyWorker(folder: string): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const part of ["dist", "data", "package.json"]) {
    await cp(join(WORKER, part), join(folder, part), { recursive: true });
  }
  await symlink(join(WORKER, "node_modules"), join(folder, "node_modules"));
  await writeFile(join(folder, "dist", "components", "ledger-note.js"), LEDGER_NOTE);
  return join(folder, "dist", "main.js");
}
