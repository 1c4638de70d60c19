import { ApplicationFailure } from "@temporalio/common";
import { z } from "zod";
import { defineComponent } from "../../component.ts";
import { readVendors, type Vendor } from "../../vendors.ts";
import { shortHash } from "../../short-hash.ts";
import { QUESTIONNAIRES, renderQuestionnaire } from "./questionnaires.ts";
import { writeOnce } from "../../write-once.ts";

/** Renders one questionnaire for one vendor into the outbox folder (`OUTBOX_DIR`). */
export default defineComponent({
  action: "send_questionnaire",
  title: "Send questionnaire",
  description:
    "Sends a vendor a questionnaire to answer by the due date: a Markdown file in the outbox, addressed to the vendor's contact. Another attempt sends nothing twice. For many vendors use for_each.",
  input: z.strictObject({
    vendor_id: z.string().describe("cbvndr_..., such as find_vendors finds"),
    due_date: z.iso.date().describe("YYYY-MM-DD"),
    questionnaire: z.enum(QUESTIONNAIRES).default("privacy"),
  }),
  output: z.strictObject({
    vendor_id: z.string(),
    vendor_name: z.string(),
    questionnaire_response_id: z.string().describe("cbqsrw_..."),
    file: z.string().describe("Name inside the outbox folder"),
  }),
  async run({ input, config, log, idempotencyKey }) {
    const vendor = findVendor(await readVendors(config.vendorsFile), input.vendor_id);
    const id = toResponseId(idempotencyKey, vendor.id);
    const file = `${id}.md`;
    const content = renderQuestionnaire({ ...input, id, vendor });
    await writeOnce({ folder: config.outboxDir, file, content });
    log.info({ vendorId: vendor.id, file }, "sent a questionnaire");
    return {
      output: {
        vendor_id: vendor.id,
        vendor_name: vendor.name,
        questionnaire_response_id: id,
        file,
      },
      artifacts: [
        { artifact_type: "vendor", id: vendor.id, role: "trigger" },
        { artifact_type: "questionnaire_response", id, role: "result" },
      ],
    };
  },
});

function findVendor(known: readonly Vendor[], id: string): Vendor {
  const vendor = known.find((each) => each.id === id);
  if (vendor !== undefined) return vendor;
  throw ApplicationFailure.nonRetryable(`Unknown vendor: ${id.slice(0, 100)}`, "UnknownVendor");
}

/** Equal across attempts, so that another attempt finds what an earlier one has sent. */
function toResponseId(idempotencyKey: string, vendorId: string): string {
  return `cbqsrw_${shortHash(`${idempotencyKey} ${vendorId}`, 32)}`;
}
