import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ENGINE_ACTIONS } from "@truerun/shared/engine/engine-actions";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createComponent } from "./create-component.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "new-component-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function refusalOf(...args: string[]): Promise<string> {
  const before = await readdir(folder);
  const error: unknown = await createComponent(folder, args).catch((thrown: unknown) => thrown);
  expect(error).toHaveProperty("name", "NewComponentError");
  expect(await readdir(folder)).toEqual(before);
  const message = error instanceof Error ? error.message : "";
  expect(message).not.toContain("\n");
  return message;
}

describe("createComponent", () => {
  it("writes the component and its test", async () => {
    const written = await createComponent(folder, ["notify_owner"]);
    expect(written).toEqual(
      ["notify-owner.ts", "notify-owner.test.ts"].map((n) => join(folder, n)),
    );
    const [component = "", test = ""] = await Promise.all(written.map((p) => readFile(p, "utf8")));
    expect(component).toContain('action: "notify_owner"');
    expect(component).toContain('title: "Notify owner"');
    expect(test).toContain('from "./notify-owner.ts"');
  });

  it.each(["", "Notify", "notify-owner", "1st", "_x", "a b", "../x", "é", "a\nb", "a".repeat(61)])(
    "refuses the name %j",
    async (action) => {
      expect(await refusalOf(action)).toContain("is no action type");
    },
  );

  it.each(ENGINE_ACTIONS)("refuses the engine's %s", async (action) => {
    expect(await refusalOf(action)).toContain("an action of the engine's own");
  });

  it("refuses what exists as a file, a folder or a test", async () => {
    await writeFile(join(folder, "as-file.ts"), "");
    await writeFile(join(folder, "as-test.test.ts"), "");
    await mkdir(join(folder, "as-folder"));
    for (const action of ["as_file", "as_test", "as_folder"]) {
      expect(await refusalOf(action)).toContain(`There is a component ${action} already`);
    }
  });

  it("refuses the name that the worker would refuse, and writes nothing", async () => {
    expect(await refusalOf("default")).toContain("a name that Temporal's SDK uses");
    expect(await refusalOf("wait")).toContain("an action of the engine's own");
    expect(await readdir(folder)).not.toContain("default.ts");
  });

  it("takes exactly one name", async () => {
    expect(await refusalOf()).toBe("Usage: npm run new:component <action_type>");
    expect(await refusalOf("a", "b")).toBe("Usage: npm run new:component <action_type>");
  });
});
