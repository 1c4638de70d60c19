import { readdir } from "node:fs/promises";
import { join, parse } from "node:path";
import { pathToFileURL } from "node:url";
import { findNameOwner, type NameOwner, toFileName } from "@truerun/shared/component-name";
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
      const reserved = explainReserved(component.action);
      if (reserved !== null) throw new Error(reserved);
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

const RESERVED: Readonly<Record<NameOwner, string>> = {
  engine: "the engine has an action of that name",
  sdk: "Temporal's SDK has that name",
};

/** Why no component can have the action; null when one can. */
export function explainReserved(action: string): string | null {
  const owner = findNameOwner(action);
  return owner === null ? null : RESERVED[owner];
}

interface ComponentFile {
  /** File or folder name without its extension. */
  name: string;
  path: string;
}

/** The files of a folder that are to hold a component each, by path. */
export async function findComponentFiles(folder: string): Promise<ComponentFile[]> {
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
  const expected = toFileName(component.action);
  if (file.name !== expected) {
    throw new Error(`holds the action ${component.action}, so its name must be ${expected}`);
  }
  return component;
}
