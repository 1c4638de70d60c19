import type { IncomingHttpHeaders } from "node:http";
import { type Fault, parseOrFaults } from "@truerun/shared/contracts/faults";
import { z } from "zod";

const LOC = ["header", "Idempotency-Key"];

/** 1-255 visible ASCII characters. */
export const idempotencyKeySchema = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[\x21-\x7e]+$/)
  .meta({
    description:
      "Repeats with the same key within 24 hours get the first answer and start nothing. The id of a run, as given by a 502, counts as its key.",
    example: "order-4711",
  });

/** The request's key, null when it has none, or what is wrong with it. */
export function readIdempotencyKey(
  headers: IncomingHttpHeaders,
): { value: string | null } | { faults: Fault[] } {
  const header = headers["idempotency-key"];
  if (header === undefined) return { value: null };
  return parseOrFaults(idempotencyKeySchema, String(header), LOC);
}
