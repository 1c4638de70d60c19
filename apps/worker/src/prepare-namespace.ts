import type { Connection } from "@temporalio/client";
import { DISPATCH_WINDOW_HOURS } from "@truerun/shared/dispatch/dispatch-window";
import { GRPC, hasGrpcCode } from "@truerun/shared/grpc-error";
import type { Logger } from "@truerun/shared/logger";
import { SEARCH_ATTRIBUTE_NAMES } from "@truerun/shared/search-attributes";
import { IndexedValueType } from "@truerun/shared/temporal-values";

const KEYWORD = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD;

/** From a hosted Temporal, whose attributes are created elsewhere. */
const NOT_ALLOWED = [GRPC.PERMISSION_DENIED, GRPC.UNIMPLEMENTED];

/**
 * Registers the search attributes that runs are started with, and warns if the retention is too short.
 *
 * @throws when the namespace does not exist, or the attributes cannot be registered
 */
export async function prepareNamespace(
  connection: Connection,
  namespace: string,
  logger: Logger,
): Promise<void> {
  const described = await connection.workflowService.describeNamespace({ namespace });
  const retention = described.config?.workflowExecutionRetentionTtl;
  const hours = Number(retention?.seconds ?? 0) / 3_600;
  if (hours <= DISPATCH_WINDOW_HOURS) {
    logger.warn(
      { namespace, retentionHours: hours, dispatchWindowHours: DISPATCH_WINDOW_HOURS },
      "the namespace's retention should exceed the dispatch window, or a run may be started twice; set it to 72h",
    );
  }
  await registerSearchAttributes(connection, namespace, logger);
}

async function registerSearchAttributes(
  connection: Connection,
  namespace: string,
  logger: Logger,
): Promise<void> {
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({
      namespace,
    });
    const missing = SEARCH_ATTRIBUTE_NAMES.filter((name) => !(name in (customAttributes ?? {})));
    if (missing.length === 0) return;
    const searchAttributes = Object.fromEntries(missing.map((name) => [name, KEYWORD]));
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
    logger.info({ namespace, searchAttributes: missing }, "search attributes registered");
  } catch (error) {
    if (!hasGrpcCode(error, NOT_ALLOWED)) throw error;
    const names = SEARCH_ATTRIBUTE_NAMES.join(", ");
    logger.warn(
      { namespace },
      `may not register search attributes; runs need ${names}, all Keyword`,
    );
  }
}
