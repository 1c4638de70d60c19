import type { Client } from "@temporalio/client";
import type { Database } from "@truerun/shared/db";
import type { DispatchMarks } from "@truerun/shared/dispatch/dispatch-marks";
import type { Dispatcher } from "@truerun/shared/dispatch/dispatcher";
import type { Logger } from "@truerun/shared/logger";
import type { Registry } from "@truerun/shared/metrics";
import type { ApiConfig } from "./config.ts";
import type { Probe } from "./service/health.ts";
import type { DatabaseClock } from "./workflow-runs/database-clock.ts";

/** What the gateway needs from outside. Nothing here is global. */
export interface ApiDependencies {
  db: Database;
  /** Connections for run starts: however many starts there are, `db` is left to everything else. */
  startsDb: Database;
  /** Its calls have no deadline of their own, and a frozen Temporal never answers: see `withTemporalDeadline`. */
  client: Client;
  dispatcher: Dispatcher;
  marks: DispatchMarks;
  logger: Logger;
  /** Where the gateway's metrics are kept. */
  registry: Registry;
  /** Resolves when Temporal answers; rejects when it does not, possibly only after a long time. */
  pingTemporal: () => Promise<void>;
  config: ApiConfig;
}

/** What endpoints get: the dependencies and what the gateway built from them. */
export interface EndpointServices extends ApiDependencies {
  clock: DatabaseClock;
  probe: Probe;
  /** The OpenAPI document of this API, as the bytes of its JSON text. Never rejects. */
  openApiText: () => Promise<Buffer>;
}
