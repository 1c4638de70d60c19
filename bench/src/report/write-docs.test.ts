import { expect, test } from "vitest";
import { replaceBlock } from "./write-docs.ts";

test("only what is between the markers is replaced, however often", () => {
  const text = "# Title\n\n<!-- bench:soak -->old<!-- /bench:soak -->\n\nProse.\n";
  const once = replaceBlock(text, "soak", "new");
  expect(once).toBe("# Title\n\n<!-- bench:soak -->\n\nnew\n\n<!-- /bench:soak -->\n\nProse.\n");
  expect(replaceBlock(once, "soak", "new")).toBe(once);
});

test("a text without the markers is not changed unseen", () => {
  expect(() => replaceBlock("# Title\n", "soak", "new")).toThrow("<!-- bench:soak -->");
});
