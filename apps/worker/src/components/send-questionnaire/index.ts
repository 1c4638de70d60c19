import { createHash } from "node:crypto";
import { ApplicationFailure } from "@temporalio/common";
import { z } from "zod";
import { defineComponent } from "../../component.ts";
import { readVendors, type Vendor } from "../../vendors.ts";
import { QUESTIONNAIRES, renderQuestionnaire } from "./questionnaires.ts";
import { writeOnce } from "./write-once.ts";

/** Two artifacts a vendor, of the 1,000 that a step may have. */
const MAX_VENDORS = 500;

/** Renders one questionnaire a vendor into the outbox folder (`OUTBOX_DIR`). */
export default defineComponent({
  action: "send_questionnaire",
  title: "Send questionnaire",
  description:
    "Sends each of the given vendors a questionnaire to answer by the due date: a Markdown file in the outbox, addressed to the vendor's contact. Another attempt sends nothing twice.",
  input: z.strictObject({
    vendor_ids: z
      .array(z.string())
      .max(MAX_VENDORS)
      .describe("cbvndr_..., such as find_vendors finds"),
    due_date: z.iso.date().describe("YYYY-MM-DD"),
    questionnaire: z.enum(QUESTIONNAIRES).default("privacy"),
  }),
  output: z.strictObject({
    sent: z.array(
      z.strictObject({
        vendor_id: z.string(),
        questionnaire_response_id: z.string().describe("cbqsrw_..."),
        file: z.string().describe("Name inside the outbox folder"),
      }),
    ),
    count: z.number().int(),
  }),
  async run({ input, config, signal, log, heartbeat, idempotencyKey }) {
    const vendors = select(await readVendors(config.vendorsFile), input.vendor_ids);
    const sent: { vendor_id: string; questionnaire_response_id: string; file: string }[] = [];
    for (const vendor of vendors) {
      signal.throwIfAborted();
      const id = toResponseId(idempotencyKey, vendor.id);
      const file = `${id}.md`;
      const content = renderQuestionnaire({ ...input, id, vendor });
      await writeOnce({ folder: config.outboxDir, file, content });
      sent.push({ vendor_id: vendor.id, questionnaire_response_id: id, file });
      heartbeat({ sent: sent.length, of: vendors.length });
    }
    log.info({ count: sent.length }, "sent questionnaires");
    return {
      output: { sent, count: sent.length },
      artifacts: sent.flatMap((each) => [
        { artifact_type: "vendor", id: each.vendor_id, role: "trigger" as const },
        {
          artifact_type: "questionnaire_response",
          id: each.questionnaire_response_id,
          role: "result" as const,
        },
      ]),
    };
  },
});

/** All are looked up before the first is sent, so that a wrong id sends nothing. */
function select(known: readonly Vendor[], ids: readonly string[]): Vendor[] {
  const byId = new Map(known.map((vendor) => [vendor.id, vendor]));
  const wanted = [...new Set(ids)].map((id) => ({ id, vendor: byId.get(id) }));
  const unknown = wanted.filter(({ vendor }) => vendor === undefined);
  if (unknown.length > 0) {
    const shown = unknown.slice(0, 10).map(({ id }) => id.slice(0, 100));
    throw ApplicationFailure.nonRetryable(
      `Unknown vendor: ${shown.join(", ")}${unknown.length > shown.length ? ", ..." : ""}`,
      "UnknownVendor",
    );
  }
  return wanted.flatMap(({ vendor }) => vendor ?? []);
}

/** Equal across attempts, so that another attempt finds what an earlier one has sent. */
function toResponseId(idempotencyKey: string, vendorId: string): string {
  const hash = createHash("sha256").update(`${idempotencyKey} ${vendorId}`, "utf8").digest("hex");
  return `cbqsrw_${hash.slice(0, 32)}`;
}
