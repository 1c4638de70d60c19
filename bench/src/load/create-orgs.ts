import { generateApiKey } from "@truerun/shared/api-keys";
import type { Database } from "@truerun/shared/db";
import { componentId } from "@truerun/shared/definitions/definition-store";
import {
  DEFAULT_ATTEMPT_TIMEOUT,
  DEFAULT_RETRY,
  type WorkflowDefinitionDocument,
} from "@truerun/shared/contracts/definition";
import { newId } from "@truerun/shared/ids";
import { definitionName, type LoadPlan } from "./load-plan.ts";

export interface Org {
  orgId: string;
  /** The most frequent first. */
  definitionIds: string[];
}

/** The main org first, then the others. */
export async function createOrgs(db: Database, plan: LoadPlan): Promise<Org[]> {
  const orgs = Array.from({ length: plan.otherOrgs + 1 }, () => ({
    orgId: newId("cborg"),
    definitionIds: Array.from({ length: plan.definitions }, () => newId("cbwd")),
  }));
  await db.organization.createMany({
    data: orgs.map(({ orgId }) => ({ id: orgId, name: `bench ${orgId}` })),
  });
  const heads = orgs.flatMap(({ orgId, definitionIds }) =>
    definitionIds.map((id, at) => ({ id, orgId, name: definitionName(at) })),
  );
  // Bypasses the checks, which need the catalogue that a worker publishes.
  await db.workflowDefinition.createMany({
    data: heads.map((head) => ({ ...head, enabled: true, version: 1 })),
  });
  await db.workflowDefinitionVersion.createMany({
    data: heads.map(({ id }) => ({ definitionId: id, version: 1, document: toDocument(id) })),
  });
  return orgs;
}

function toDocument(definitionId: string): object {
  const document: WorkflowDefinitionDocument = {
    description: "For the benchmark",
    timeout: "30d",
    components: [
      {
        id: componentId(definitionId, "pause"),
        key: "pause",
        name: "Pause",
        action: "wait",
        with: { duration: "1s" },
        next: [],
        timeout: DEFAULT_ATTEMPT_TIMEOUT,
        retry: { ...DEFAULT_RETRY },
        on_failure: "fail_run",
      },
    ],
  };
  return document;
}

/** @returns a new key's text, of which only a hash is stored */
export async function createKey(db: Database, orgId: string): Promise<string> {
  const { text, hash } = generateApiKey();
  const id = newId("cbak");
  await db.apiKey.create({ data: { id, orgId, name: "bench", keyHash: hash, scopes: [] } });
  return text;
}
