// What workflow code cannot do itself: check against a JSON Schema what goes to and comes from another team's worker.
import { ApplicationFailure } from "@temporalio/common";
import type { CheckValue } from "@truerun/shared/contracts/schema-faults";
import type { Database } from "@truerun/shared/db";
import type { Logger } from "@truerun/shared/logger";
import { askDatabase } from "../ask-database.ts";
import type { AttemptTimes } from "../component-failure.ts";
import {
  assertFits,
  type Judged,
  noResult,
  parseArtifacts,
  toRefusal,
} from "../component-result.ts";
import { type ExternalComponent, parseExternalComponent } from "./external-component.ts";
import type { ExternalComponents } from "./load-external-components.ts";

/** They let as many checks as are quick share a workflow task. */
export type CheckTimes = Omit<AttemptTimes, "attempt">;

/**
 * By names that no component can have. Both fail retryably while the database is away; whatever else they throw is
 * not retryable, as they are tried again without end.
 */
export interface ExternalChecks {
  /**
   * @param input - the step's resolved `with`
   * @throws a non-retryable `InvalidInput`
   */
  "check-external-input": (action: string, input: unknown) => Promise<CheckTimes>;
  /**
   * @param result - what the other worker returned
   * @throws a non-retryable `InvalidOutput` or `OutputTooLarge`
   */
  "check-external-result": (action: string, result: unknown) => Promise<CheckTimes>;
}

export interface CheckDependencies {
  db: Database;
  logger: Logger;
}

/**
 * Local activities. Of what they check they return nothing: it is in the history already, or will be. A declaration that
 * only other workers have, as while a release is rolled out, is read from the catalogue.
 */
export function createExternalChecks(
  components: ExternalComponents,
  dependencies: CheckDependencies,
): ExternalChecks {
  const find = async (action: string): Promise<ExternalComponent> => {
    const component = components.get(action) ?? (await findInCatalogue(dependencies, action));
    if (component !== null) return component;
    throw ApplicationFailure.nonRetryable(
      `This service has no declaration of the action '${action}' any more.`,
      "UndeclaredAction",
    );
  };
  return {
    "check-external-input": (action, input) =>
      once(async () => {
        judge((await find(action)).checkInput, input, { type: "InvalidInput", place: "with" });
      }),
    "check-external-result": (action, result) =>
      once(async () => {
        const component = await find(action);
        if (typeof result !== "object" || result === null || !("output" in result)) {
          throw noResult();
        }
        const { output } = result;
        judge(component.checkOutput, output, { type: "InvalidOutput", place: "output" });
        const given = "artifacts" in result ? result.artifacts : undefined;
        assertFits({ output, artifacts: await parseArtifacts(given) });
      }),
  };
}

/** Nothing that goes wrong in a check itself is mended by another attempt. */
async function once(check: () => Promise<void>): Promise<CheckTimes> {
  const startedAt = Date.now();
  try {
    await check();
    return { started_at_ms: startedAt, finished_at_ms: Date.now() };
  } catch (error) {
    if (error instanceof ApplicationFailure) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw ApplicationFailure.nonRetryable(`The check failed: ${message}`, "CheckFailed");
  }
}

async function findInCatalogue(
  { db, logger }: CheckDependencies,
  actionType: string,
): Promise<ExternalComponent | null> {
  const row = await askDatabase(
    () => db.componentType.findUnique({ where: { actionType } }),
    (error) => {
      logger.warn({ err: error, actionType }, "the catalogue was not read; it is tried again");
    },
  );
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
