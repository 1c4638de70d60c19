import { workflowDefinitionInputSchema } from "@truerun/shared/contracts/definition-schema";
import { mergeFaults } from "@truerun/shared/contracts/fault-list";
import type { Fault } from "@truerun/shared/contracts/faults";
import { checkAgainstCatalogue } from "@truerun/shared/definitions/check-against-catalogue";
import { saveDefinition } from "@truerun/shared/definitions/save-definition";
import {
  findNameFault,
  MAX_NAME_BYTES,
  MAX_NAME_CHARACTERS,
  type NameFault,
} from "@truerun/shared/definitions/workflow-name";
import { z } from "zod";
import type { EndpointServices } from "../dependencies.ts";
import { checkKey } from "../http/authenticate.ts";
import {
  type Answer,
  defineEndpoint,
  type EndpointRequest,
  json,
} from "../http/define-endpoint.ts";
import { invalidRequest } from "../http/errors.ts";
import { readJson } from "../http/json-request.ts";
import { workflowNameParam } from "../http/parameters.ts";
import type { PathParam } from "../http/route-matcher.ts";
import { definitionSchema, toDefinitionView } from "./definition-view.ts";

/** Creates a definition or adds its next version; runs under way stay on theirs. */
export const putWorkflow = defineEndpoint({
  operationId: "putWorkflow",
  summary: "Create or replace a workflow definition",
  description:
    "A replacement is a new version. Runs under way stay on the version they started with.",
  tag: "Workflow definitions",
  access: "workflows:write",
  params: z.object({ workflow_name: workflowNameParam }),
  body: {
    schema: workflowDefinitionInputSchema,
    required: true,
    example: {
      description: "Shapes its input",
      components: [
        { key: "shape", name: "Shape", action: "transform", with: { value: "${{ input }}" } },
      ],
    },
  },
  responses: {
    200: { description: "The definition's next version", schema: definitionSchema },
    201: { description: "The new definition", schema: definitionSchema },
  },
  errors: [],
  handler: async (request, services) => put(request, services),
});

async function put(request: EndpointRequest, { db }: EndpointServices): Promise<Answer> {
  const orgId = await checkKey(request, db);
  const param = request.param("workflow_name");
  const body = readJson(request.body);
  const faults = [...toNameFaults(param), ...body.faults];
  if (faults.length > 0 || body.value === undefined) {
    const checked = body.value === undefined ? null : await checkAgainstCatalogue(db, body.value);
    throw invalidRequest(mergeFaults(faults, checked?.ok === false ? inBody(checked.faults) : []));
  }
  const name = param.text ?? param.raw;
  const result = await saveDefinition(db, { orgId, name, input: body.value });
  switch (result.kind) {
    case "invalid":
      throw invalidRequest(inBody(result.faults));
    case "unchanged":
    case "saved": {
      const created = result.kind === "saved" && result.created;
      return json(created ? 201 : 200, toDefinitionView(result.definition));
    }
  }
}

function inBody(faults: readonly Fault[]): Fault[] {
  return faults.map((fault) => ({ ...fault, loc: ["body", ...fault.loc] }));
}

const NAME_FAULTS: Readonly<Record<NameFault | "malformed", Pick<Fault, "msg" | "type">>> = {
  empty: { msg: "String should have at least 1 character", type: "string_too_short" },
  too_many_characters: {
    msg: `String should have at most ${MAX_NAME_CHARACTERS} characters`,
    type: "string_too_long",
  },
  too_many_bytes: {
    msg: `String should have at most ${MAX_NAME_BYTES} bytes`,
    type: "string_too_long",
  },
  unstorable: { msg: "String should not contain NUL", type: "string_pattern_mismatch" },
  malformed: { msg: "Input should be valid percent-encoded UTF-8", type: "string_unicode" },
};

function toNameFaults({ text }: PathParam): Fault[] {
  const fault = text === null ? "malformed" : findNameFault(text);
  return fault === null ? [] : [{ loc: ["path", "workflow_name"], ...NAME_FAULTS[fault] }];
}
