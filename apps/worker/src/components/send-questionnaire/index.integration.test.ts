import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { provesRetrySafe } from "../../component-kit/proves-retry-safe.ts";
import { runComponent } from "../../component-kit/run-component.ts";
import type { Vendor } from "../../vendors.ts";
import findVendors from "../find-vendors.ts";
import sendQuestionnaire from "./index.ts";

let outbox: string;
let vendors: Vendor[];
beforeAll(async () => {
  outbox = await mkdtemp(join(tmpdir(), "outbox-"));
  ({ vendors } = (await runComponent(findVendors, { input: {} })).output);
});
afterAll(() => rm(outbox, { recursive: true, force: true }));

/** A vendor for each key, by which the ledger tells whose questionnaire it sees. */
const vendorOfKey = new Map<string, Vendor>();
function vendorOf(key: string): Vendor {
  const vendor = vendorOfKey.get(key) ?? vendors[vendorOfKey.size];
  if (vendor === undefined) throw new Error("There are not enough vendors");
  vendorOfKey.set(key, vendor);
  return vendor;
}

const ledger = {
  async effects(key: string): Promise<string[]> {
    const files = (await readdir(outbox)).filter((name) => /^[^.].*\.md$/.test(name));
    const texts = await Promise.all(files.map((file) => readFile(join(outbox, file), "utf8")));
    return texts
      .filter((text) => text.startsWith(`# Vendor privacy questionnaire: ${vendorOf(key).name}\n`))
      .map(() => "questionnaire");
  },
};

test("a questionnaire is retry safe: its vendor gets one", async () => {
  const report = await provesRetrySafe(sendQuestionnaire, {
    input: (key) => ({ vendor_id: vendorOf(key).id, due_date: "2026-06-30" }),
    env: { OUTBOX_DIR: outbox },
    ledger,
  });
  expect(report.expected).toEqual(["questionnaire"]);
});
