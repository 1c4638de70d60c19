// For tests only.
import type { ComponentDefinition, Edge } from "@truerun/shared/contracts/definition";
import type { Json, JsonObject } from "@truerun/shared/contracts/json";
import type { ReviewAnswer } from "@truerun/shared/contracts/review";
import type { RunStatus } from "@truerun/shared/contracts/statuses";

/** A run to start, what an operator does to it, and how it goes. */
export interface Shape {
  name: string;
  input?: JsonObject;
  timeout?: string;
  components: () => ComponentDefinition[];
  /** Other definitions of its org, by their names. */
  others?: Readonly<Record<string, () => ComponentDefinition[]>>;
  /** What an operator does in Temporal once this many steps are recorded; a person answers. */
  operator?: { afterSteps: number } & (
    | { action: "cancel" | "terminate" }
    | { action: "answer"; answer: ReviewAnswer }
  );
  ends: RunStatus;
  /** `key: status` in the order of recording, where that is determined. */
  steps: string[];
}

/** An edge without a condition. */
export const to = (key: string, on: Edge["on"] = "success"): Edge => ({ to: key, on });

/** The components, one after the other. */
export function chain(components: readonly ComponentDefinition[]): ComponentDefinition[] {
  return components.map((each, n) => {
    const next = components[n + 1];
    return next === undefined ? each : { ...each, next: [to(next.key)] };
  });
}

const BATCHED_ITEMS = 101;
const isSomething = (index: number): boolean => index < 2 || index === BATCHED_ITEMS - 1;

/** Enough items for two batches, of which three are `item`; a reference into any other leads to nothing. */
export function mostlyNothing(item: JsonObject): Json[] {
  return Array.from({ length: BATCHED_ITEMS }, (_, index) => (isSomething(index) ? item : {}));
}

/** How the steps over {@link mostlyNothing} end. */
export function stepsOfMostlyNothing(key: string): string[] {
  return mostlyNothing({}).map(
    (_, index) => `${key}[${index}]: ${isSomething(index) ? "success" : "skipped"}`,
  );
}

/** A run in which `b` is skipped in the same decision that starts those who read its status. */
export function skippedBesideItsReaders(
  make: (
    key: string,
    rest: Pick<Partial<ComponentDefinition>, "next" | "with" | "for_each">,
  ) => ComponentDefinition,
): Omit<Shape, "name"> {
  const readers = [to("reader"), to("items")];
  const never = { path: "input.none", op: "exists" } as const;
  const seen = "${{ steps.b.status }}";
  return {
    components: () => [
      make("a", { next: [{ ...to("b"), when: never }, ...readers] }),
      make("b", { next: readers }),
      make("reader", { with: { value: seen } }),
      make("items", { for_each: [1, 2], with: { value: ["${{ item }}", seen] } }),
    ],
    ends: "completed",
    steps: [
      "a: success",
      "b: skipped",
      "reader: success",
      "items[0]: success",
      "items[1]: success",
    ],
  };
}
