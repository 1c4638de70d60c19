import { z } from "zod";
import { integerParameter } from "./query.ts";

/** `limit` and `offset` of every list. */
export const pageParameters = {
  limit: integerParameter({ description: "Entries at most; 100 if left out", min: 1, max: 500 })
    .optional()
    .transform((limit) => limit ?? 100),
  offset: integerParameter({ description: "Entries to leave out at the start", min: 0 })
    .optional()
    .transform((offset) => offset ?? 0),
};

/** One page of a list. */
export function pageSchema<T extends z.ZodType>(entry: T, id: string) {
  return z
    .strictObject({
      data: z.array(entry),
      total: z.int().nonnegative().meta({ description: "Exact, over all pages" }),
      limit: z.int(),
      offset: z.int(),
    })
    .meta({ id });
}
