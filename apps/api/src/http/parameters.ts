import { z } from "zod";

/** Documentation of `{workflow_name}`. */
export const workflowNameParam = z.string().min(1).max(255).meta({
  description: "Name of the workflow definition, percent-encoded; case counts.",
  example: "quarterly-privacy-sweep",
});

/** An id: a prefix and 32 hex digits. */
export function idSchema(prefix: string, description: string) {
  return z
    .string()
    .regex(new RegExp(`^${prefix}_[0-9a-f]{32}$`))
    .meta({ description, example: `${prefix}_a8f2c19e3d4b5e6f7a8b9c0d1e2f3a4b` });
}

/** Integer unix seconds. */
export function timeSchema(description: string) {
  return z.int().meta({ description, example: 1746576000 });
}
