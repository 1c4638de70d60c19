/** Chaos's only component of its own: the shipped ones that call others run outside of workflow tasks. */
export const LEDGER_NOTE = `import { ApplicationFailure } from "@temporalio/common";
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
