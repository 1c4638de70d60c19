import { NativeConnection } from "@temporalio/worker";
import {
  type TemporalConfig,
  temporalConnectionOptions,
} from "@truerun/shared/temporal-connection";

/**
 * The connection of a worker. By default the SDK compresses the traffic in both directions, which takes 6 % of all the
 * CPU that a run of trivial steps costs, on both ends, and pays only where bandwidth is scarce.
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
