import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { definitionJsonSchema, definitionJsonSchemaText } from "./definition-json-schema.ts";

const FILE = fileURLToPath(new URL("../../../../workflows/workflow.schema.json", import.meta.url));

// `npx vitest run definition-json-schema --update` writes the file anew.
test("the checked-in schema is the generated one", async () => {
  await expect(definitionJsonSchemaText()).toMatchFileSnapshot(FILE);
});

test("the schema itself is valid and judges definitions", () => {
  const validate = new Ajv({ strict: false }).compile(definitionJsonSchema());
  const component = {
    key: "a",
    action: "transform",
    with: { value: 1 },
    next: [{ to: "b", when: { not: { all: [{ path: "input.n", op: "gt", value: 1 }] } } }],
  };
  expect(validate({ components: [component] })).toBe(true);
  expect(validate({ components: [{ ...component, for_eech: 1 }] })).toBe(false);
  expect(validate({ components: [{ ...component, next: [{ to: "b", when: { op: "x" } }] }] })).toBe(
    false,
  );
});
