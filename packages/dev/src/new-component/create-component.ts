import { readdir, writeFile } from "node:fs/promises";
import { join, parse } from "node:path";
import { findNameOwner, type NameOwner, toFileName } from "@truerun/shared/component-name";
import { ACTION_PATTERN } from "@truerun/shared/engine/engine-actions";
import { toComponentFiles } from "./component-template.ts";

/** The arguments cannot be made into a component. The message says why, in one line. */
export class NewComponentError extends Error {
  override name = "NewComponentError";
}

/** Keeps every line of the template within the formatter's width. */
const MAX_LENGTH = 60;

const RESERVED: Readonly<Record<NameOwner, string>> = {
  engine: "an action of the engine's own: choose another name",
  sdk: "a name that Temporal's SDK uses: choose another",
};

/**
 * Writes a component and its test into a folder of components.
 *
 * @returns the paths of both
 * @throws {@link NewComponentError}; nothing is written then
 */
export async function createComponent(folder: string, args: readonly string[]): Promise<string[]> {
  const [action] = args;
  if (action === undefined || args.length > 1) {
    throw new NewComponentError("Usage: npm run new:component <action_type>");
  }
  assertUsable(action);
  const name = toFileName(action);
  const taken = (await readdir(folder)).find((entry) => toStem(entry) === name);
  if (taken !== undefined) {
    throw new NewComponentError(`There is a component ${action} already: ${join(folder, taken)}`);
  }
  const { component, test } = toComponentFiles(action);
  const files = { [`${name}.ts`]: component, [`${name}.test.ts`]: test };
  const written: string[] = [];
  for (const [file, text] of Object.entries(files)) {
    const path = join(folder, file);
    await writeFile(path, text, { flag: "wx" });
    written.push(path);
  }
  return written;
}

function assertUsable(action: string): void {
  const shown = JSON.stringify(action.slice(0, 2 * MAX_LENGTH));
  if (!ACTION_PATTERN.test(action) || action.length > MAX_LENGTH) {
    throw new NewComponentError(
      `${shown} is no action type: at most ${MAX_LENGTH} lower-case letters, digits and underscores, a letter first, such as notify_owner`,
    );
  }
  const owner = findNameOwner(action);
  if (owner !== null) throw new NewComponentError(`${shown} is ${RESERVED[owner]}`);
}

/** `x` for the folder `x` and the files `x.ts` and `x.test.ts`. */
function toStem(entry: string): string {
  return parse(entry).name.replace(/\.test$/, "");
}
