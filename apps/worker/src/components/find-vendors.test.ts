import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runComponent } from "../component-kit/run-component.ts";
import type { z } from "zod";
import type { Vendor } from "../vendors.ts";
import findVendors from "./find-vendors.ts";

function vendor(digit: string, tags: string[]): Vendor {
  return {
    id: `cbvndr_${digit.repeat(32)}`,
    name: `Vendor ${digit}`,
    contact_name: "Ada",
    contact_email: "ada@vendor.example",
    country: "IE",
    services: "hosting",
    tags,
  };
}

const vendors = [
  vendor("2", ["processes_pii", "soc2"]),
  vendor("1", ["processes_pii"]),
  vendor("3", []),
];

describe("find_vendors", () => {
  let folder: string;
  let vendorsFile: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "vendors-"));
    vendorsFile = join(folder, "vendors.json");
    await writeFile(vendorsFile, JSON.stringify(vendors));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const find = (input: z.input<typeof findVendors.input>) =>
    runComponent(findVendors, { input, env: { VENDORS_FILE: vendorsFile } });

  it.each([
    [{ tags: ["processes_pii"] }, ["1", "2"]],
    [{ tags: ["processes_pii", "soc2"] }, ["2"]],
    [{ tags: ["nope"] }, []],
    [{ ids: [`cbvndr_${"3".repeat(32)}`, "cbvndr_unknown"] }, ["3"]],
    [{ tags: ["soc2"], ids: [`cbvndr_${"3".repeat(32)}`] }, []],
    [{ ids: [] }, []],
    [{ tags: [], ids: null }, ["1", "2", "3"]],
    [{}, ["1", "2", "3"]],
  ])("%j finds %j", async (input, digits) => {
    const { output, artifacts } = await find(input);
    const ids = digits.map((digit) => `cbvndr_${digit.repeat(32)}`);
    expect(output).toMatchObject({ vendor_ids: ids, count: ids.length });
    expect(output).toHaveProperty("vendors.length", ids.length);
    expect(artifacts).toEqual(ids.map((id) => ({ artifact_type: "vendor", id, role: "trigger" })));
  });

  it("reads the vendors that are shipped", async () => {
    const { output } = await runComponent(findVendors, { input: { tags: ["processes_pii"] } });
    expect(output.count).toBeGreaterThan(10);
  });

  it("tells a broken file, which is not retried, from one that cannot be read, which is", async () => {
    for (const text of ["{", "{}", JSON.stringify([vendors[0], vendors[0]])]) {
      await writeFile(vendorsFile, text);
      await expect(find({})).rejects.toMatchObject({
        type: "InvalidVendorsFile",
        nonRetryable: true,
      });
    }
    await rm(vendorsFile);
    await expect(find({})).rejects.toMatchObject({ nonRetryable: false });
  });
});
