import { createHash } from "node:crypto";
import type { WorkflowDefinitionDocument } from "../contracts/definition.ts";
import { type Database, Prisma } from "../db.ts";

/** What a workflow definition is now, without its document. */
export interface DefinitionHead {
  /** `cbwd_...` */
  id: string;
  name: string;
  enabled: boolean;
  version: number;
  createdAt: Date;
  updatedAt: Date;
}

/** A workflow definition as it is now: its head and its newest document. */
export interface SavedDefinition extends DefinitionHead {
  document: WorkflowDefinitionDocument;
}

/** One row of {@link HEAD_COLUMNS}. */
export interface HeadRow {
  id: string;
  name: string;
  enabled: boolean;
  version: number;
  created_at: Date;
  updated_at: Date;
}

/** One row of {@link DEFINITION_COLUMNS}: what {@link toSavedDefinition} takes. */
export interface DefinitionRow extends HeadRow {
  /** The document's text: parsed here, so that `__proto__` stays an ordinary key. */
  document: string;
}

/** Selects a {@link HeadRow} from `workflow_definitions d`. */
export const HEAD_COLUMNS = Prisma.sql`
  d.id, d.name, d.enabled, d.version, d.created_at, d.updated_at`;

/** Selects a {@link DefinitionRow} from `workflow_definitions d` joined to its version `v`. */
export const DEFINITION_COLUMNS = Prisma.sql`${HEAD_COLUMNS}, v.document::text AS document`;

export function toHead(row: HeadRow): DefinitionHead {
  return {
    id: row.id,
    name: row.name,
    enabled: row.enabled,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** Trusts the document: only this service writes such rows. */
export function toSavedDefinition(row: DefinitionRow): SavedDefinition {
  return { ...toHead(row), document: JSON.parse(row.document) as WorkflowDefinitionDocument };
}

/** The org's definition of exactly this name, or null. `name` must be storable (no NUL). */
export async function findDefinition(
  db: Database,
  key: { orgId: string; name: string },
): Promise<SavedDefinition | null> {
  const rows = await db.$queryRaw<DefinitionRow[]>`
    SELECT ${DEFINITION_COLUMNS}
    FROM workflow_definitions d
    JOIN workflow_definition_versions v ON v.definition_id = d.id AND v.version = d.version
    WHERE d.org_id = ${key.orgId} AND d.name = ${key.name}`;
  const [row] = rows;
  return row === undefined ? null : toSavedDefinition(row);
}

/**
 * A component's id, derived from its definition and its key: the same in every version, whoever saves it
 * and however often the key was removed and added again.
 */
export function componentId(definitionId: string, key: string): string {
  const hash = createHash("sha256").update(`${definitionId}/${key}`, "utf8").digest("hex");
  return `cbwc_${hash.slice(0, 32)}`;
}
