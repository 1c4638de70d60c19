import type {
  ComponentDefinition,
  WorkflowDefinitionDocument,
} from "../../contracts/definition.ts";

/** What a test sets of a component; everything else has a harmless value. */
export type Parts = Partial<Omit<ComponentDefinition, "next">> & {
  next?: (string | Partial<ComponentDefinition["next"][number]>)[];
};

/** A saved definition of these components, by their keys. */
export function define(parts: Record<string, Parts>): WorkflowDefinitionDocument {
  const components = Object.entries(parts).map(([key, { next = [], ...rest }]) => ({
    id: `cbwc_${key}`,
    key,
    name: key,
    action: "transform",
    with: {},
    timeout: "30s",
    retry: { max_attempts: 1, initial_interval: "1s", backoff_coefficient: 2, max_interval: "1m" },
    on_failure: "fail_run" as const,
    next: next.map((edge) => ({
      to: "",
      on: "success" as const,
      ...(typeof edge === "string" ? { to: edge } : edge),
    })),
    ...rest,
  }));
  return { description: "", timeout: "30d", components };
}
