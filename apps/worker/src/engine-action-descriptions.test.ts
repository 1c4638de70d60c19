import { checkDefinition } from "@truerun/shared/contracts/check-definition";
import type { Json, JsonObject } from "@truerun/shared/contracts/json";
import { ENGINE_ACTIONS } from "@truerun/shared/engine/engine-actions";
import { expect, test } from "vitest";
import { z } from "zod";
import { ENGINE_ACTION_DESCRIPTIONS } from "./engine-action-descriptions.ts";

const catalogue = ENGINE_ACTION_DESCRIPTIONS.map(({ action, input }) => ({
  action_type: action,
  input_schema: z.toJSONSchema(input, { io: "input" }) as Json,
  defaults: {},
}));

function check(action: string, given: JsonObject): unknown {
  const result = checkDefinition({ components: [{ key: "a", action, with: given }] }, catalogue);
  return result.ok ? "ok" : result.faults.map(({ loc }) => loc.slice(2).join("."));
}

test("every engine action is described", () => {
  expect(ENGINE_ACTION_DESCRIPTIONS.map(({ action }) => action).sort()).toEqual([
    ...ENGINE_ACTIONS,
  ]);
});

test.each<[JsonObject, unknown]>([
  [{ duration: "10m" }, "ok"],
  [{ until: 1_800_000_000 }, "ok"],
  [{ duration: "${{ input.pause }}" }, "ok"],
  [{ until: "${{ input.moment }}" }, "ok"],
  [{}, ["with"]],
  [{ duration: "soon" }, ["with.duration"]],
  [{ duration: "1m", until: 1 }, ["with"]],
])("wait with %j when it is saved: %j", (given, expected) => {
  expect(check("wait", given)).toEqual(expected);
});

test("fail needs its message", () => {
  expect(check("fail", { message: "no budget for ${{ input.quarter }}" })).toBe("ok");
  expect(check("fail", {})).toEqual(["with.message"]);
});

test.each<[JsonObject, unknown]>([
  [{}, "ok"],
  [{ prompt: "May ${{ input.vendor }} be used?", timeout: "3d", on_timeout: "reject" }, "ok"],
  [{ timeout: "${{ input.patience }}" }, "ok"],
  [{ prompt: 5 }, ["with.prompt"]],
  [{ timeout: "soon", on_timeout: "shrug" }, ["with.timeout", "with.on_timeout"]],
  [{ question: "?" }, ["with.question"]],
])("wait_for_review with %j when it is saved: %j", (given, expected) => {
  expect(check("wait_for_review", given)).toEqual(expected);
});

test.each<[JsonObject, unknown]>([
  [{ workflow_name: "other" }, "ok"],
  [{ workflow_name: "${{ input.name }}", input: { n: 1 }, wait: false }, "ok"],
  [{ workflow_name: "other", input: "${{ input }}" }, "ok"],
  [{}, ["with.workflow_name"]],
  [{ workflow_name: "" }, ["with.workflow_name"]],
  [{ workflow_name: "other", input: [] }, ["with.input"]],
  [{ workflow_name: "other", wait: "no" }, ["with.wait"]],
  [{ workflow_name: "other", until: 1 }, ["with.until"]],
])("run_workflow with %j when it is saved: %j", (given, expected) => {
  expect(check("run_workflow", given)).toEqual(expected);
});
