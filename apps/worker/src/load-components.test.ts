import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { loadComponents } from "./load-components.ts";

const shipped = fileURLToPath(new URL("./components", import.meta.url));

describe("loadComponents", () => {
  it("finds the shipped components, each with schemas that have a JSON Schema", async () => {
    const components = await loadComponents(shipped);
    // Not the whole list: adding a component must not require a change here.
    expect([...components.keys()]).toEqual(
      expect.arrayContaining(["find_vendors", "http_request", "send_questionnaire", "transform"]),
    );
    for (const component of components.values()) {
      expect(z.toJSONSchema(component.input, { io: "input" })).toMatchObject({ type: "object" });
      z.toJSONSchema(component.output, { io: "output" });
    }
  });

  describe("from a folder with broken files", () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), "components-"));
    });
    afterEach(() => rm(folder, { recursive: true }));

    const component = (action: string): string =>
      `export default { action: ${JSON.stringify(action)}, [Symbol.for("truerun.component")]: true };`;

    it("names every one of them", async () => {
      await mkdir(join(folder, "say-hello"));
      await mkdir(join(folder, "empty"));
      const files = {
        "say-hello.js": component("say_hello"),
        "say-hello/index.js": component("say_hello"),
        "wrong-name.js": component("right_name"),
        "wait.js": component("wait"),
        "default.js": component("default"),
        "nothing.js": "export const x = 1;",
        "throws.js": 'throw new Error("boom");',
        "syntax.js": "export default {",
        "ignored.test.js": "nonsense(",
        "ignored.d.ts": "nonsense(",
        "notes.md": "text",
      };
      for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
      const error: unknown = await loadComponents(folder).catch((thrown: unknown) => thrown);
      const message = String(error);
      expect(message).toContain("say-hello/index.js: another file has the same action");
      expect(message).toContain(
        "wrong-name.js: holds the action right_name, so its name must be right-name",
      );
      expect(message).toContain("wait.js: the engine has an action of that name");
      expect(message).toContain("default.js: Temporal's SDK has that name");
      expect(message).toContain("nothing.js: its default export is not made by defineComponent");
      expect(message).toContain("throws.js: boom");
      expect(message).toContain("syntax.js: ");
      expect(message).toContain("empty");
      expect(message).not.toContain("ignored");
      expect(message).not.toContain("notes");
    });
  });
});
