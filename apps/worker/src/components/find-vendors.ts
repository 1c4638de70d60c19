import { z } from "zod";
import { defineComponent } from "../component.ts";
import { MAX_ARTIFACTS } from "../component-result.ts";
import { readVendors, vendorSchema } from "../vendors.ts";

/** Searches the vendors file (`VENDORS_FILE`). */
export default defineComponent({
  action: "find_vendors",
  title: "Find vendors",
  description:
    "Finds the vendors that carry every one of the given tags, and, if ids are given, are among these. Without both it finds all. Each vendor found is an artifact of the step, up to 1,000.",
  input: z.strictObject({
    tags: z
      .array(z.string())
      .optional()
      .describe("Such as processes_pii; a vendor has all of them"),
    ids: z
      .array(z.string())
      .nullish()
      .describe("cbvndr_...; an empty list finds none, null is as if it were left out"),
  }),
  output: z.strictObject({
    vendors: z.array(vendorSchema).describe("By name"),
    vendor_ids: z.array(z.string()).describe("The ids of these, in the same order"),
    count: z.number().int(),
  }),
  async run({ input, config, log }) {
    const ids = input.ids == null ? null : new Set(input.ids);
    const vendors = (await readVendors(config.vendorsFile))
      .filter((vendor) => (input.tags ?? []).every((tag) => vendor.tags.includes(tag)))
      .filter((vendor) => ids === null || ids.has(vendor.id))
      .sort((a, b) => a.name.localeCompare(b.name, "en"));
    log.info({ count: vendors.length }, "found vendors");
    const vendorIds = vendors.map((vendor) => vendor.id);
    return {
      output: { vendors, vendor_ids: vendorIds, count: vendors.length },
      // The step reads these vendors and makes nothing: they are what it consumed.
      artifacts: vendorIds
        .slice(0, MAX_ARTIFACTS)
        .map((id) => ({ artifact_type: "vendor", id, role: "trigger" as const })),
    };
  },
});
