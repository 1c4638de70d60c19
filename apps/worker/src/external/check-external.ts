// What workflow code cannot do itself: check against a JSON Schema what goes to and comes from another team's worker.
import { ApplicationFailure } from "@temporalio/common";
import type { CheckValue } from "@truerun/shared/contracts/schema-faults";
import type { Database } from "@truerun/shared/db";
import {
  assertFits,
  type Judged,
  noResult,
  parseArtifacts,
  toRefusal,
} from "../component-result.ts";
import { type ExternalComponent, parseExternalComponent } from "./external-component.ts";
import type { ExternalComponents } from "./load-external-components.ts";

/** By names that no component can have. */
export interface ExternalChecks {
  /**
   * @param input - the step's resolved `with`
   * @throws a non-retryable `InvalidInput`
   */
  "check-external-input": (action: string, input: unknown) => Promise<void>;
  /**
   * @param result - what the other worker returned
   * @throws a non-retryable `InvalidOutput` or `OutputTooLarge`
   */
  "check-external-result": (action: string, result: unknown) => Promise<void>;
}

/**
 * Local activities. They return nothing: what they check is in the history already, or will be. A declaration that
 * only other workers have, as while a release is rolled out, is read from the catalogue.
 */
export function createExternalChecks(components: ExternalComponents, db: Database): ExternalChecks {
  const find = async (action: string): Promise<ExternalComponent> => {
    const component = components.get(action) ?? (await findInCatalogue(db, action));
    if (component !== null) return component;
    throw ApplicationFailure.nonRetryable(
      `This service has no declaration of the action '${action}' any more.`,
      "UndeclaredAction",
    );
  };
  return {
    async "check-external-input"(action, input) {
      judge((await find(action)).checkInput, input, { type: "InvalidInput", place: "with" });
    },
    async "check-external-result"(action, result) {
      const component = await find(action);
      if (typeof result !== "object" || result === null || !("output" in result)) {
        throw noResult();
      }
      const { output } = result;
      judge(component.checkOutput, output, { type: "InvalidOutput", place: "output" });
      const artifacts = await parseArtifacts("artifacts" in result ? result.artifacts : undefined);
      assertFits({ output, artifacts });
    },
  };
}

async function findInCatalogue(
  db: Database,
  actionType: string,
): Promise<ExternalComponent | null> {
  const row = await db.componentType.findUnique({ where: { actionType } });
  if (row === null || row.taskQueue === null) return null;
  return parseExternalComponent({
    action_type: actionType,
    title: row.title,
    description: row.description,
    task_queue: row.taskQueue,
    input_schema: row.inputSchema,
    output_schema: row.outputSchema,
    defaults: row.defaults,
  });
}

function judge(check: CheckValue, value: unknown, judged: Judged): void {
  const faults = check(value).map(({ loc, msg }) => ({ path: loc, message: msg }));
  if (faults.length > 0) throw toRefusal(faults, judged);
}
