// A step's key: its place in the definition. Sandbox-safe.

const ITEM_KEY = /^(.+)\[(\d+)\]$/;

/** The key of one item of a component with `for_each`: `send_questionnaire[3]`. */
export function toItemKey(componentKey: string, index: number): string {
  return `${componentKey}[${index}]`;
}

/** Splits a step's key into its component's key and, for an item, its index. */
export function parseStepKey(stepKey: string): { componentKey: string; itemIndex: number | null } {
  const [, componentKey, index] = ITEM_KEY.exec(stepKey) ?? [];
  if (componentKey === undefined) return { componentKey: stepKey, itemIndex: null };
  return { componentKey, itemIndex: Number(index) };
}
