import { readdir } from "node:fs/promises";
import { join, parse } from "node:path";
import { pathToFileURL } from "node:url";
import { isEngineAction, UNKNOWN_ACTION } from "@truerun/shared/engine/engine-actions";
import { type Component, isComponent } from "./component.ts";

/** Some files in the components folder cannot be used. The message names each, and why. */
export class ComponentsError extends Error {
  override name = "ComponentsError";
}

/** The components of this worker by their action. */
export type Components = ReadonlyMap<string, Component>;

/**
 * Loads every component of a folder: files `<name>.ts` or `.js`, or sub-folders with an `index` file.
 * The name is the action with dashes: `http-request.ts` holds `http_request`.
 *
 * @throws {@link ComponentsError} listing every file that does not load, exports no component, or has
 * another name than its action
 */
export async function loadComponents(folder: string): Promise<Components> {
  const components = new Map<string, Component>();
  const faults: string[] = [];
  for (const file of await findComponentFiles(folder)) {
    try {
      const component = await loadComponent(file);
      if (components.has(component.action)) throw new Error("another file has the same action");
      if (isEngineAction(component.action))
        throw new Error("the engine has an action of that name");
      if (component.action === UNKNOWN_ACTION) throw new Error("Temporal's SDK has that name");
      components.set(component.action, component);
    } catch (error) {
      faults.push(`  ${file.path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (faults.length > 0) {
    throw new ComponentsError(`Components cannot be loaded:\n${faults.join("\n")}`);
  }
  return components;
}

interface ComponentFile {
  /** File or folder name without its extension. */
  name: string;
  path: string;
}

async function findComponentFiles(folder: string): Promise<ComponentFile[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const files = await Promise.all(
    entries.map(async (entry): Promise<ComponentFile[]> => {
      const path = join(folder, entry.name);
      if (!entry.isDirectory()) {
        return isModule(entry.name) ? [{ name: parse(path).name, path }] : [];
      }
      const index = (await readdir(path)).find((name) => /^index\.[jt]s$/.test(name));
      // Without one, the import fails and its error names the folder.
      return [{ name: entry.name, path: join(path, index ?? "index") }];
    }),
  );
  return files.flat().sort((a, b) => (a.path < b.path ? -1 : 1));
}

function isModule(name: string): boolean {
  return /\.[jt]s$/.test(name) && !/\.(test\.[jt]s|d\.ts)$/.test(name);
}

async function loadComponent(file: ComponentFile): Promise<Component> {
  const module: unknown = await import(pathToFileURL(file.path).href);
  const component = (module as { default?: unknown }).default;
  if (!isComponent(component)) throw new Error("its default export is not made by defineComponent");
  const expected = component.action.replaceAll("_", "-");
  if (file.name !== expected) {
    throw new Error(`holds the action ${component.action}, so its name must be ${expected}`);
  }
  return component;
}
