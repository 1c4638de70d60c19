import { readdir, readFile } from "node:fs/promises";
import { join, parse as parsePath } from "node:path";
import { toFileName } from "@truerun/shared/component-name";
import { parse } from "yaml";
import { type Components, ComponentsError, explainReserved } from "../load-components.ts";
import {
  DeclarationError,
  type ExternalComponent,
  parseExternalComponent,
} from "./external-component.ts";

/** The components that other teams' workers serve, by their action. */
export type ExternalComponents = ReadonlyMap<string, ExternalComponent>;

export interface DeclarationsSource {
  folder: string;
  /** Whether the folder may be missing. */
  optional: boolean;
  /** The worker's own components and task queue, whose names a declaration must not use. */
  components: Components;
  ownTaskQueue: string;
}

/**
 * Loads every declaration of a folder: `<name>.yaml`, the name being the action with dashes.
 *
 * @throws {@link ComponentsError} listing every fault of every file
 */
export async function loadExternalComponents(
  source: DeclarationsSource,
): Promise<ExternalComponents> {
  const loaded = new Map<string, ExternalComponent>();
  const faults: string[] = [];
  for (const file of await findDeclarations(source)) {
    const path = join(source.folder, file);
    try {
      const component = await loadDeclaration(path);
      const fault = loaded.has(component.action)
        ? "another file has the same action"
        : explainClash(component, source);
      if (fault !== null) throw new DeclarationError(fault);
      loaded.set(component.action, component);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      faults.push(...reason.split("\n").map((line) => `  ${path}: ${line}`));
    }
  }
  if (faults.length > 0) {
    throw new ComponentsError(`External components cannot be loaded:\n${faults.join("\n")}`);
  }
  return loaded;
}

async function findDeclarations({ folder, optional }: DeclarationsSource): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((file) => /\.ya?ml$/.test(file)).sort();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (optional && code === "ENOENT") return [];
    throw new ComponentsError(`External components cannot be loaded:\n  ${folder}: ${message}`, {
      cause: error,
    });
  }
}

async function loadDeclaration(path: string): Promise<ExternalComponent> {
  const component = parseExternalComponent(parseYaml(await readFile(path, "utf8")));
  const expected = toFileName(component.action);
  if (parsePath(path).name === expected) return component;
  throw new DeclarationError(
    `holds the action ${component.action}, so its name must be ${expected}.yaml`,
  );
}

function parseYaml(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    // The first line names the place; the others only picture it.
    const [reason = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    throw new DeclarationError(`is not YAML: ${reason}`);
  }
}

function explainClash(
  { action, taskQueue }: ExternalComponent,
  { components, ownTaskQueue }: DeclarationsSource,
): string | null {
  const reserved = explainReserved(action);
  if (reserved !== null) return `action_type: ${reserved}`;
  if (components.has(action)) return "action_type: there is a component of that name";
  if (taskQueue !== ownTaskQueue) return null;
  return `task_queue: ${taskQueue} is this service's own; its workers do not know the action`;
}
