import { NativeConnection } from "@temporalio/worker";
import {
  type TemporalConfig,
  temporalConnectionOptions,
} from "@truerun/shared/temporal-connection";

/**
 * The connection of a worker. The SDK's default is to compress all that goes either way, which takes 6 % of all the
 * CPU that a run of trivial steps costs, on both ends, and pays only where the network is narrow.
 *
 * @throws when Temporal does not answer
 */
export async function connectWorker(
  config: TemporalConfig & { TEMPORAL_GZIP: boolean },
): Promise<NativeConnection> {
  return await NativeConnection.connect({
    ...temporalConnectionOptions(config),
    grpcCompression: { codec: config.TEMPORAL_GZIP ? "gzip" : "none" },
  });
}
