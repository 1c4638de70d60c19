import { defineSearchAttributeKey, SearchAttributeType } from "@temporalio/common";

/** What runs can be searched by in Temporal Web UI. All are of type Keyword. */
export const SEARCH_ATTRIBUTES = {
  orgId: defineSearchAttributeKey("OrgId", SearchAttributeType.KEYWORD),
  orgName: defineSearchAttributeKey("OrgName", SearchAttributeType.KEYWORD),
  workflowName: defineSearchAttributeKey("WorkflowName", SearchAttributeType.KEYWORD),
} as const;

/** The names to register with a namespace. */
export const SEARCH_ATTRIBUTE_NAMES: readonly string[] = Object.values(SEARCH_ATTRIBUTES).map(
  (key) => key.name,
);
