import { toFileName } from "@truerun/shared/component-name";

/** Templates of a component and its test; they pass every check as they are. */
export function toComponentFiles(action: string): { component: string; test: string } {
  return { component: toComponent(action), test: toTest(action) };
}

function toComponent(action: string): string {
  return `import { z } from "zod";
import { defineComponent } from "../component.ts";

/** Say here what whoever reads the code should know. */
export default defineComponent({
  action: "${action}",
  title: "${toTitle(action)}",
  description: "Say here what it does, for those who write workflows: the catalogue shows it.",
  // Checked before run() is called; the catalogue shows the descriptions.
  input: z.strictObject({
    name: z.string().min(1).describe("Whom to greet"),
  }),
  // Checked after it. Later steps refer to it: \${{ steps.<key>.output.greeting }}.
  output: z.strictObject({
    greeting: z.string(),
  }),
  // One attempt; five attempts are made unless \`retry\` says otherwise.
  timeout: "30s",
  // Also given: \`config\`; \`signal\`, to hand on to whatever takes time; \`idempotencyKey\`, equal across
  // attempts, to hand on to whatever must happen once. An error that is thrown is retried, but for
  // \`ApplicationFailure.nonRetryable(message, type)\` of @temporalio/common.
  run({ input, log }) {
    log.info("greeted");
    return Promise.resolve({ output: { greeting: \`Hello, \${input.name}\` } });
  },
});
`;
}

function toTest(action: string): string {
  return `import { describe, expect, it } from "vitest";
import { failureOf, runComponent } from "../component-kit/run-component.ts";
import component from "./${toFileName(action)}.ts";

describe("${action}", () => {
  it("greets by name", async () => {
    const { output } = await runComponent(component, { input: { name: "Ada" } });
    expect(output).toEqual({ greeting: "Hello, Ada" });
  });

  it("needs a name", async () => {
    const failure = await failureOf(runComponent(component, { input: { name: "" } }));
    expect(failure).toMatchObject({ type: "InvalidInput", nonRetryable: true });
  });
});
`;
}

function toTitle(action: string): string {
  const words = action.replaceAll("_", " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
