// For tests only: a component that is not retry safe, in every way in which components fail to be.
import { randomUUID } from "node:crypto";
import { ApplicationFailure } from "@temporalio/common";
import { z } from "zod";
import { defineComponent } from "../../component.ts";

export const WAYS = [
  "id_of_the_attempt",
  "looks_before_it_leaps",
  "trusts_the_first_attempt",
  "fails_on_a_repeat",
  "tries_again_by_itself",
] as const;

export default defineComponent({
  action: "unsafe_post",
  title: "Unsafe POST",
  description: "For tests",
  input: z.strictObject({ url: z.string(), way: z.enum(WAYS) }),
  output: z.null(),
  async run({ input: { url, way }, signal, idempotencyKey, attempt }) {
    const post = (id: string, until?: AbortSignal) =>
      fetch(url, {
        method: "POST",
        headers: { "idempotency-key": id },
        ...(until === undefined ? {} : { signal: until }),
      });
    switch (way) {
      case "id_of_the_attempt":
        await post(randomUUID(), signal);
        break;
      case "looks_before_it_leaps": {
        const isDone = (await (await fetch(url, { signal })).text()) !== "0";
        if (!isDone) await post(randomUUID(), signal);
        break;
      }
      case "trusts_the_first_attempt":
        if (attempt === 1) await post(idempotencyKey, signal);
        break;
      case "fails_on_a_repeat":
        if ((await post(idempotencyKey, signal)).status === 409) {
          throw ApplicationFailure.nonRetryable("was there already", "Conflict");
        }
        break;
      case "tries_again_by_itself":
        await post(idempotencyKey, signal).catch(() => post(`${idempotencyKey} again`));
        break;
    }
    return { output: null };
  },
});
