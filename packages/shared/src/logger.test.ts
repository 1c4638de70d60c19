import { expect, test } from "vitest";
import { createLogger } from "./logger.ts";

function logged(log: (logger: ReturnType<typeof createLogger>) => void): string[] {
  const lines: string[] = [];
  log(
    createLogger({
      name: "test",
      level: "info",
      destination: { write: (line) => lines.push(line) },
    }),
  );
  return lines;
}

test.each([
  ["at the top", { password: "s3cret", kept: 1 }],
  ["in a member", { config: { apiKey: "s3cret" }, kept: 1 }],
  ["deep in lists and errors", { list: [{ headers: { authorization: "s3cret" } }], kept: 1 }],
  ["as an object", { token: { value: "s3cret" }, kept: 1 }],
  ["of an error", { err: Object.assign(new Error("no"), { secret: "s3cret" }), kept: 1 }],
])("a secret %s never reaches a line", (_, facts) => {
  const [line = "", ...others] = logged((logger) => logger.info(facts, "said"));
  expect(others).toEqual([]);
  expect(line).not.toContain("s3cret");
  expect(line).toMatch(/\[redacted\].*\n$/);
  expect(JSON.parse(line)).toMatchObject({ name: "test", kept: 1, msg: "said" });
});

test("a child's secret never reaches a line", () => {
  const [line] = logged((logger) => logger.child({ api_key: "s3cret" }).info("said"));
  expect(line).not.toContain("s3cret");
});

test("other lines go out as they are", () => {
  const [line = ""] = logged((logger) => logger.info({ tokens: 3, text: '"token":1' }, "said"));
  expect(JSON.parse(line)).toMatchObject({ tokens: 3, text: '"token":1', msg: "said" });
});
