import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AttemptOptions, runComponent } from "../../component-kit/run-component.ts";
import type { Vendor } from "../../vendors.ts";
import findVendors from "../find-vendors.ts";
import sendQuestionnaire from "./index.ts";

describe("send_questionnaire", () => {
  let outboxDir: string;
  let vendor: Vendor;
  beforeEach(async () => {
    outboxDir = join(await mkdtemp(join(tmpdir(), "outbox-")), "made", "when", "missing");
    const found = await runComponent(findVendors, { input: {} });
    vendor = found.output.vendors[0] as Vendor;
  });
  afterEach(() => rm(join(outboxDir, "../../.."), { recursive: true, force: true }));

  function send(input: object = {}, attempt: AttemptOptions = {}) {
    return runComponent(sendQuestionnaire, {
      ...attempt,
      rawInput: { vendor_id: vendor.id, due_date: "2026-06-30", ...input },
      env: { OUTBOX_DIR: outboxDir },
    });
  }

  it("writes a questionnaire for the vendor, and says so in its artifacts", async () => {
    const { output, artifacts } = await send();
    const { file, questionnaire_response_id: id } = output;
    expect(output).toMatchObject({ vendor_id: vendor.id, vendor_name: vendor.name });
    expect(id).toMatch(/^cbqsrw_[0-9a-f]{32}$/);
    expect(await readdir(outboxDir)).toEqual([file]);
    expect(artifacts).toEqual([
      { artifact_type: "vendor", id: vendor.id, role: "trigger" },
      { artifact_type: "questionnaire_response", id, role: "result" },
    ]);
    const text = await readFile(join(outboxDir, file), "utf8");
    expect(text).toContain(`# Vendor privacy questionnaire: ${vendor.name}`);
    expect(text).toContain("- Due: **30 June 2026**");
    expect(text).toContain(id);
    expect(text).toContain("12. Has a supervisory authority");
  });

  it("sends nothing twice: another attempt finds what is there", async () => {
    const first = await send();
    const file = join(outboxDir, first.output.file);
    await writeFile(file, "changed by the recipient");
    const second = await send({}, { attempt: 2 });
    expect(second.output).toEqual(first.output);
    expect(await readFile(file, "utf8")).toBe("changed by the recipient");
    expect(await readdir(outboxDir)).toHaveLength(1);
  });

  it("has an id that an attempt of any release makes", async () => {
    const { output } = await send({ vendor_id: "cbvndr_e448ba62882143f3ba0c140bb2e30162" });
    expect(output.questionnaire_response_id).toBe("cbqsrw_60913d8130976720de9d80180b148dd1");
  });

  it("makes another one in another step", async () => {
    const first = await send();
    const second = await send({}, { stepKey: "other[3]" });
    expect(second.output.questionnaire_response_id).not.toBe(
      first.output.questionnaire_response_id,
    );
  });

  it("sends nothing to a vendor that is unknown", async () => {
    const unknown = `cbvndr_${"0".repeat(32)}`;
    const failure = await send({ vendor_id: unknown }).catch((error: unknown) => error);
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
});
