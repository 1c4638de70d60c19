import {
  Client,
  Connection,
  type ConnectionOptions,
  defaultGrpcRetryOptions,
  makeGrpcRetryInterceptor,
} from "@temporalio/client";
import { type PayloadConfig, toDataConverter } from "./payloads/data-converter.ts";

/** The part of a configuration that says where Temporal is (see `temporalEnv`). */
export interface TemporalConfig extends PayloadConfig {
  TEMPORAL_ADDRESS: string;
  TEMPORAL_NAMESPACE: string;
  TEMPORAL_API_KEY?: string | undefined;
  TEMPORAL_TLS?: boolean | undefined;
  TEMPORAL_TLS_CA?: Buffer | undefined;
  TEMPORAL_TLS_CERT?: Buffer | undefined;
  TEMPORAL_TLS_KEY?: Buffer | undefined;
  TEMPORAL_TLS_SERVER_NAME?: string | undefined;
}

export interface TemporalClient {
  connection: Connection;
  client: Client;
  close(): Promise<void>;
}

/** TLS and credentials, as both the client's and the worker's connection take them. */
export function temporalConnectionOptions(config: TemporalConfig): {
  address: string;
  tls: NonNullable<ConnectionOptions["tls"]>;
  apiKey?: string;
} {
  const { TEMPORAL_TLS_CERT: crt, TEMPORAL_TLS_KEY: key, TEMPORAL_TLS_CA: ca } = config;
  const serverName = config.TEMPORAL_TLS_SERVER_NAME;
  const wanted =
    config.TEMPORAL_TLS ?? (crt ?? ca ?? serverName ?? config.TEMPORAL_API_KEY) !== undefined;
  const tls = {
    ...(ca === undefined ? {} : { serverRootCACertificate: ca }),
    ...(serverName === undefined ? {} : { serverNameOverride: serverName }),
    ...(crt === undefined || key === undefined ? {} : { clientCertPair: { crt, key } }),
  };
  return {
    address: config.TEMPORAL_ADDRESS,
    tls: wanted ? tls : false,
    ...(config.TEMPORAL_API_KEY === undefined ? {} : { apiKey: config.TEMPORAL_API_KEY }),
  };
}

/** A page of history has 256 events, and Temporal ends a run only at 50 MiB: gRPC's default 4 MiB is too low. */
const MAX_ANSWER_BYTES = 128 * 1024 * 1024;

/**
 * A client that connects with its first call and recovers by itself. The SDK's defaults back off for
 * minutes and retry for 20 s, which would keep callers waiting long after Temporal is back.
 *
 * @param callTimeoutMs - how long a call may take, with what the SDK tries again. Default: without end, where
 *   the caller sets no deadline
 */
export function createTemporalClient(
  config: TemporalConfig,
  { callTimeoutMs = Number.POSITIVE_INFINITY }: { callTimeoutMs?: number } = {},
): TemporalClient {
  const retry = defaultGrpcRetryOptions({ maxAttempts: 4, maxIntervalMs: () => 300 });
  const connection = Connection.lazy({
    ...temporalConnectionOptions(config),
    connectTimeout: 1_500,
    channelArgs: {
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.min_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": 500,
      "grpc.max_receive_message_length": MAX_ANSWER_BYTES,
    },
    interceptors: [limitCalls(retry, callTimeoutMs)],
  });
  const client = new Client({
    connection,
    namespace: config.TEMPORAL_NAMESPACE,
    dataConverter: toDataConverter(config),
  });
  return { connection, client, close: () => connection.close() };
}

type GrpcInterceptor = NonNullable<ConnectionOptions["interceptors"]>[number];

type RetryOptions = ReturnType<typeof defaultGrpcRetryOptions>;

/**
 * Gives all tries of a call a deadline; an earlier one that its caller has set stands. The SDK's retries know of no
 * deadline: a pause would go on beyond it, and one more try be sent then.
 */
function limitCalls(retry: RetryOptions, callTimeoutMs: number): GrpcInterceptor {
  return (options, nextCall) => {
    const given = Number(options.deadline ?? Number.POSITIVE_INFINITY);
    const deadline = Math.min(given, Date.now() + callTimeoutMs);
    let pauseMs = 0;
    const tries = makeGrpcRetryInterceptor({
      retryableDecider(attempt, status) {
        pauseMs = retry.delayFunction(attempt, status);
        return retry.retryableDecider(attempt, status) && Date.now() + pauseMs < deadline;
      },
      delayFunction: () => pauseMs,
    });
    return tries({ ...options, deadline }, nextCall);
  };
}
