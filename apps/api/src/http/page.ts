import { z } from "zod";
import { integerParameterOr } from "./query.ts";

/** `limit` and `offset` of every list. */
export const pageParameters = {
  limit: integerParameterOr(100, { description: "Entries at most", min: 1, max: 500 }),
  offset: integerParameterOr(0, { description: "Entries to leave out at the start", min: 0 }),
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
