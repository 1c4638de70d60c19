import type { ComponentDefinition, WorkflowDefinitionDocument } from "../contracts/definition.ts";
import { Prisma } from "../db.ts";
import { RUN_WORKFLOW } from "../engine/engine-actions.ts";

/** What lists and checks need of a document, kept beside it: a document may take 448 KiB, and an org has many. */
export interface DefinitionSummary {
  description: string;
  timeout: string;
  /** The workflows that its components run, by name; those that references name are not known. */
  runs: string[];
}

/** Selects a text for {@link parseSummary} from a version `v`; of one that was saved without a summary, the document. */
export const SUMMARY_COLUMN = Prisma.sql`coalesce(v.summary, v.document)::text AS summary`;

export function summarize({
  description,
  timeout,
  components,
}: Pick<WorkflowDefinitionDocument, "description" | "timeout"> & {
  components: readonly CallingComponent[];
}): DefinitionSummary {
  return { description, timeout, runs: [...new Set(components.flatMap(calledBy))] };
}

/** Trusts the text: only this service writes such rows. */
export function parseSummary(text: string): DefinitionSummary {
  const stored = JSON.parse(text) as DefinitionSummary | WorkflowDefinitionDocument;
  return "runs" in stored ? stored : summarize(stored);
}

export type CallingComponent = Pick<ComponentDefinition, "action" | "with">;

/** The workflow that a component runs, if the definition names it literally. */
export function calledBy({ action, with: input }: CallingComponent): string[] {
  const called = input["workflow_name"];
  const isLiteral = typeof called === "string" && !called.includes("${{");
  return action === RUN_WORKFLOW && isLiteral ? [called] : [];
}
