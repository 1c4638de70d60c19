import type { Client } from "@temporalio/client";
import type { Database } from "@truerun/shared/db";
import type { DispatchMarks } from "@truerun/shared/dispatch/dispatch-marks";
import type { Dispatcher } from "@truerun/shared/dispatch/dispatch-run";
import type { Logger } from "@truerun/shared/logger";
import type { Registry } from "@truerun/shared/metrics";
import type { RateLimit } from "./http/rate-limit.ts";
import type { DatabaseClock } from "./workflow-runs/database-clock.ts";

/** What the gateway needs from outside. Nothing here is global. */
export interface ApiDependencies {
  db: Database;
  /** Connections for the starts of runs: however many there are, the others are left to everything else. */
  startsDb: Database;
  /** Temporal. A call may hang for ever when the server is frozen: give each a deadline. */
  client: Client;
  dispatcher: Dispatcher;
  marks: DispatchMarks;
  logger: Logger;
  /** Where the gateway's metrics are kept. */
  registry: Registry;
  /** Resolves when Temporal answers; rejects when it does not, however long that takes. */
  pingTemporal: () => Promise<void>;
  settings: ApiSettings;
}

export interface ApiSettings {
  /** Limit of a request body, decompressed. */
  maxBodyBytes: number;
  /** How long a request may take to arrive. */
  requestTimeoutMs: number;
  /** What a key may ask of this process; undefined: as much as it likes. */
  rateLimit: RateLimit | undefined;
  /** Starts of runs that are worked at at once. */
  maxConcurrentStarts: number;
  /** Requests that are here at once: starts, and as many others. */
  maxRequests: number;
  /** Connections that are served. */
  maxConnections: number;
  /** How long a run's start may take before its caller is told 502. */
  dispatchDeadlineMs: number;
  /** Address of Temporal Web UI without a slash at its end, when there is one. */
  temporalUiUrl: string | undefined;
  temporalNamespace: string;
}

/** What endpoints get: the dependencies and what the gateway built from them. */
export interface EndpointServices extends ApiDependencies {
  clock: DatabaseClock;
  /** The OpenAPI document of this API, as JSON text. Never rejects. */
  openApiText: () => Promise<string>;
}
