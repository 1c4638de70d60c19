import { readFile } from "node:fs/promises";
import { ApplicationFailure } from "@temporalio/common";
import { z } from "zod";

/** A company that processes data for the org. */
export const vendorSchema = z.strictObject({
  id: z.string().regex(/^cbvndr_[0-9a-f]{32}$/),
  name: z.string().min(1),
  contact_name: z.string().min(1),
  contact_email: z.email(),
  country: z.string().length(2).describe("ISO 3166-1 alpha-2"),
  services: z.string().describe("What the vendor does for the org"),
  tags: z.array(z.string().min(1)),
});

export type Vendor = z.output<typeof vendorSchema>;

const vendorsSchema = z
  .array(vendorSchema)
  .refine((vendors) => new Set(vendors.map((vendor) => vendor.id)).size === vendors.length, {
    error: "two vendors have the same id",
  });

/**
 * Reads the vendors file anew: it may be edited while the worker runs.
 *
 * @throws a non-retryable `InvalidVendorsFile` when it holds anything but a list of vendors;
 * the file system's error, which is retried, when it cannot be read
 */
export async function readVendors(file: string): Promise<Vendor[]> {
  const text = await readFile(file, "utf8");
  const parsed = vendorsSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw ApplicationFailure.nonRetryable(
    `The vendors file cannot be used: ${z.prettifyError(parsed.error)}`,
    "InvalidVendorsFile",
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw ApplicationFailure.nonRetryable(
      `The vendors file is not JSON: ${reason}`,
      "InvalidVendorsFile",
    );
  }
}
