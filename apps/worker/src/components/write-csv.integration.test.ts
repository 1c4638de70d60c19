import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { provesRetrySafe } from "../component-kit/proves-retry-safe.ts";
import writeCsv from "./write-csv.ts";

let outbox: string;
beforeAll(async () => {
  outbox = await mkdtemp(join(tmpdir(), "outbox-"));
});
afterAll(() => rm(outbox, { recursive: true, force: true }));

/** The file's name begins with it. */
const nameOf = (key: string): string => key.replace(/\W/g, "-");

test("a CSV file is retry safe: there is one", async () => {
  const report = await provesRetrySafe(writeCsv, {
    input: (key) => ({ name: nameOf(key), rows: [{ a: 1 }] }),
    env: { OUTBOX_DIR: outbox },
    ledger: {
      async effects(key) {
        const files = await readdir(outbox);
        return files.filter((file) => file.startsWith(`${nameOf(key)}-`)).map(() => "file");
      },
    },
  });
  expect(report.expected).toEqual(["file"]);
});
