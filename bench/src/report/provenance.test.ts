import { expect, test } from "vitest";
import { toLine } from "./provenance.ts";

const old = { command: "npm run bench", at: "2026-11-27T17:59:43.287Z", machine: "2 × CPU" };

test("the documentation names the commit and all versions that are known", () => {
  expect(toLine(old)).toBe("`npm run bench`, 2026-11-27, 2 × CPU:");
  const versions = { "Temporal server": "1.32.0", PostgreSQL: "18.4" };
  expect(toLine({ ...old, commit: "571e9c3", versions })).toBe(
    "`npm run bench`, 2026-11-27, commit 571e9c3, 2 × CPU, Temporal server 1.32.0, PostgreSQL 18.4:",
  );
});
