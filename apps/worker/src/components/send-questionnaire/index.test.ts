import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CancelledFailure } from "@temporalio/common";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AttemptOptions, runComponent } from "../../component-kit/run-component.ts";
import type { Vendor } from "../../vendors.ts";
import findVendors from "../find-vendors.ts";
import sendQuestionnaire from "./index.ts";

describe("send_questionnaire", () => {
  let outboxDir: string;
  let vendors: Vendor[];
  let ids: string[];
  beforeEach(async () => {
    outboxDir = join(await mkdtemp(join(tmpdir(), "outbox-")), "made", "when", "missing");
    vendors = (await runComponent(findVendors, { input: {} })).output.vendors.slice(0, 2);
    ids = vendors.map((vendor) => vendor.id);
  });
  afterEach(() => rm(join(outboxDir, "../../.."), { recursive: true, force: true }));

  function send(input: object, attempt: AttemptOptions = {}) {
    const rawInput = { vendor_ids: ids, due_date: "2026-06-30", ...input };
    return runComponent(sendQuestionnaire, {
      ...attempt,
      rawInput,
      env: { OUTBOX_DIR: outboxDir },
    });
  }

  it("writes a questionnaire for each vendor, and says so in its artifacts", async () => {
    const { output, artifacts } = await send({});
    const { sent, count } = output;
    expect(count).toBe(2);
    expect(await readdir(outboxDir)).toEqual(sent.map((each) => each.file).sort());
    expect(artifacts).toEqual(
      sent.flatMap((each, index) => [
        { artifact_type: "vendor", id: ids[index], role: "trigger" },
        {
          artifact_type: "questionnaire_response",
          id: each.questionnaire_response_id,
          role: "result",
        },
      ]),
    );
    expect(sent[0]?.questionnaire_response_id).toMatch(/^cbqsrw_[0-9a-f]{32}$/);
    const text = await readFile(join(outboxDir, sent[0]?.file ?? ""), "utf8");
    expect(text).toContain(`# Vendor privacy questionnaire: ${vendors[0]?.name}`);
    expect(text).toContain("- Due: **30 June 2026**");
    expect(text).toContain(sent[0]?.questionnaire_response_id);
    expect(text).toContain("12. Has a supervisory authority");
  });

  it("sends nothing twice: another attempt finds what is there", async () => {
    const first = await send({});
    const { sent } = first.output;
    const file = join(outboxDir, sent[0]?.file ?? "");
    await writeFile(file, "changed by the recipient");
    const second = await send({}, { attempt: 2 });
    expect(second.output).toEqual(first.output);
    expect(await readFile(file, "utf8")).toBe("changed by the recipient");
    expect(await readdir(outboxDir)).toHaveLength(2);
  });

  it("makes others in another step, and one for a vendor that is named twice", async () => {
    const first = await send({ vendor_ids: [ids[0], ids[0]] });
    const second = await send({ vendor_ids: [ids[0]] }, { stepKey: "other" });
    expect(first.output).toMatchObject({ count: 1 });
    expect(second.output).not.toEqual(first.output);
  });

  it("sends nothing at all when a vendor is unknown", async () => {
    const unknown = `cbvndr_${"0".repeat(32)}`;
    const failure = await send({ vendor_ids: [...ids, unknown] }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ type: "UnknownVendor", nonRetryable: true });
    expect(String(failure)).toContain(unknown);
    await expect(readdir(outboxDir)).rejects.toThrow("ENOENT");
  });

  it.each(["2026-02-30", "30.6.2026", "", 20_260_630])("refuses the due date %j", async (date) => {
    await expect(send({ due_date: date })).rejects.toMatchObject({
      type: "InvalidInput",
      nonRetryable: true,
    });
  });

  it("stops when it is canceled", async () => {
    await expect(send({}, { signal: AbortSignal.abort() })).rejects.toBeInstanceOf(
      CancelledFailure,
    );
  });

  it("sends to none of none", async () => {
    expect((await send({ vendor_ids: [] })).output).toEqual({ sent: [], count: 0 });
  });
});
