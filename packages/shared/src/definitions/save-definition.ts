import { isDeepStrictEqual } from "node:util";
import type { CheckedDefinition } from "../contracts/check-definition.ts";
import type { WorkflowDefinitionDocument } from "../contracts/definition.ts";
import type { Fault } from "../contracts/faults.ts";
import type { Database } from "../db.ts";
import { newId } from "../ids.ts";
import { checkAgainstCatalogue } from "./check-against-catalogue.ts";
import { checkChildRuns } from "./check-child-runs.ts";
import {
  componentId,
  DEFINITION_COLUMNS,
  type DefinitionRow,
  findDefinition,
  type SavedDefinition,
  toSavedDefinition,
} from "./definition-store.ts";
import { summarize } from "./definition-summary.ts";

export interface SaveDefinitionOptions {
  orgId: string;
  /** A name that `isWorkflowName` accepts. */
  name: string;
  /** The definition in the format of `workflows/*.yaml`; checked here, so it may be anything. */
  input: unknown;
  /** Adds no version when the newest one holds the same document. For the seed. */
  onlyIfChanged?: boolean;
}

export type SaveDefinitionResult =
  | { kind: "saved"; created: boolean; definition: SavedDefinition }
  | { kind: "unchanged"; definition: SavedDefinition }
  /** Every fault of the definition, each `loc` starting inside it: `["components", 0, "action"]`. */
  | { kind: "invalid"; faults: Fault[] };

/**
 * Each lost race means that another save or deletion of the same name was committed meanwhile, and
 * racing saves then queue at the head's row lock; this many losses in a row do not happen by chance.
 */
const MAX_TRIES = 20;

/**
 * Creates a definition or adds its next version. A version's number is taken under the head's row
 * lock in the statement that stores it: concurrent saves of one name neither fail nor skip numbers.
 *
 * @throws the database's error; then nothing was saved, or everything (if only the answer was lost)
 */
export async function saveDefinition(
  db: Database,
  options: SaveDefinitionOptions,
): Promise<SaveDefinitionResult> {
  const checked = await checkAgainstCatalogue(db, options.input);
  if (!checked.ok) return { kind: "invalid", faults: checked.faults };
  const wanted = checked.definition;
  const faults = await checkChildRuns(db, options, wanted.components);
  if (faults.length > 0) return { kind: "invalid", faults };
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const existing = await findDefinition(db, options);
    const id = existing?.id ?? newId("cbwd");
    const document = toDocument(id, wanted);
    if (existing !== null && options.onlyIfChanged && isSameDocument(existing.document, document)) {
      return { kind: "unchanged", definition: existing };
    }
    const head = { ...options, id, enabled: wanted.enabled, document };
    const saved = existing === null ? await insert(db, head) : await replace(db, head);
    if (saved !== null) {
      return { kind: "saved", created: existing === null, definition: toSavedDefinition(saved) };
    }
  }
  throw new Error(
    `Definition ${options.name} changed under every one of ${MAX_TRIES} tries to save it`,
  );
}

/** Whether two documents are the same definition, whatever the order of their keys. */
function isSameDocument(
  left: WorkflowDefinitionDocument,
  right: WorkflowDefinitionDocument,
): boolean {
  // Through JSON, so that absent and undefined properties are alike.
  return isDeepStrictEqual(JSON.parse(JSON.stringify(left)), JSON.parse(JSON.stringify(right)));
}

function toDocument(definitionId: string, wanted: CheckedDefinition): WorkflowDefinitionDocument {
  const components = wanted.components.map((component) => ({
    id: componentId(definitionId, component.key),
    ...component,
  }));
  return { description: wanted.description, timeout: wanted.timeout, components };
}

interface Head {
  orgId: string;
  name: string;
  id: string;
  enabled: boolean;
  document: WorkflowDefinitionDocument;
}

/** The first version, or null when the name was taken meanwhile. */
async function insert(db: Database, head: Head): Promise<DefinitionRow | null> {
  const document = JSON.stringify(head.document);
  const summary = JSON.stringify(summarize(head.document));
  const rows = await db.$queryRaw<DefinitionRow[]>`
    WITH d AS (
      INSERT INTO workflow_definitions (id, org_id, name, enabled, version)
      VALUES (${head.id}, ${head.orgId}, ${head.name}, ${head.enabled}, 1)
      ON CONFLICT (org_id, name) DO NOTHING
      RETURNING *
    ), v AS (
      INSERT INTO workflow_definition_versions (definition_id, version, document, summary)
      SELECT d.id, d.version, ${document}::json, ${summary}::json FROM d
      RETURNING document
    )
    SELECT ${DEFINITION_COLUMNS} FROM d, v`;
  return rows[0] ?? null;
}

/** The next version, or null when the definition was deleted meanwhile. */
async function replace(db: Database, head: Head): Promise<DefinitionRow | null> {
  const document = JSON.stringify(head.document);
  const summary = JSON.stringify(summarize(head.document));
  const rows = await db.$queryRaw<DefinitionRow[]>`
    WITH d AS (
      UPDATE workflow_definitions
      SET version = version + 1, enabled = ${head.enabled}, updated_at = clock_timestamp()
      WHERE id = ${head.id} AND org_id = ${head.orgId}
      RETURNING *
    ), v AS (
      INSERT INTO workflow_definition_versions (definition_id, version, document, summary)
      SELECT d.id, d.version, ${document}::json, ${summary}::json FROM d
      RETURNING document
    )
    SELECT ${DEFINITION_COLUMNS} FROM d, v`;
  return rows[0] ?? null;
}
