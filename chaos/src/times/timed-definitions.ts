import type { JsonObject } from "@truerun/shared/contracts/json";
import { component, effect } from "../load/shape.ts";

/** How long each effect of a slow chain takes: their number determines when a run ends. */
const EFFECT_MS = 1_000;

/** What the times are measured with; none is part of the load. */
export const TIMED_DEFINITIONS: readonly { name: string; definition: JsonObject }[] = [
  { name: "waits for an hour", definition: waitBetweenEffects("1h") },
  { name: "waits a while", definition: waitBetweenEffects("8s") },
  { name: "one effect", definition: { components: [effect("only", "ok")] } },
  { name: "ends during an outage", definition: { components: slowChain(10) } },
  { name: "outlasts an outage", definition: { components: slowChain(36) } },
  { name: "ten quick effects", definition: { components: chain(10, "ok") } },
];

function slowChain(count: number): JsonObject[] {
  return chain(count, `slow/${EFFECT_MS}`);
}

function chain(count: number, path: string): JsonObject[] {
  const keys = Array.from({ length: count }, (_, index) => `s${index + 1}`);
  return keys.map((key, index) => effect(key, path, { next: keys.slice(index + 1, index + 2) }));
}

function waitBetweenEffects(duration: string): JsonObject {
  return {
    components: [
      effect("before", "ok", { next: ["pause"] }),
      component("pause", { next: ["after"], more: { action: "wait", with: { duration } } }),
      effect("after", "ok"),
    ],
  };
}
