import type { EndWatch } from "./end-watch.ts";
import type { HttpClient, HttpRequest } from "./http-client.ts";

/** What is compared: a column of the table. */
export const SYSTEMS = [
  "raw",
  "raw-local",
  "naive",
  "service",
  "local",
  "untouched",
  "dbos",
] as const;
export type SystemName = (typeof SYSTEMS)[number];

/** What the tables and charts call them. */
export const TITLES: Readonly<Record<SystemName, string>> = {
  raw: "raw Temporal",
  "raw-local": "raw Temporal, local",
  naive: "naive",
  service: "truerun",
  local: "truerun, local",
  untouched: "naive, untouched server",
  dbos: "DBOS",
};

/** One way to execute the three steps. */
export interface System {
  name: SystemName;
  /** Starts one run. @returns its id, once it is accepted */
  accept(): Promise<string>;
  /** Resolves when whoever started the run can see that it completed. @throws when it ended otherwise */
  untilEnded(id: string): Promise<void>;
  http: SystemHttp | null;
}

/** What is asked of a system over HTTP. */
export interface SystemHttp {
  /** The origin of its first gateway. */
  origin: string;
  getRun(id: string): HttpRequest;
  /** A request to start a run under an idempotency key; null: the system has none. */
  startOnce: ((key: string) => HttpRequest) | null;
}

/** Processes that are started, stopped and measured together. */
export interface Deployment {
  /** Those that share its processes, as regular and local steps do. */
  systems: readonly System[];
  parts: readonly Part[];
  /** Sends its load; idle connections are closed before it is held. */
  http: HttpClient | null;
  ends: EndWatch | null;
  stop(): Promise<void>;
}

/** One process with everything that it started. */
export interface Part {
  /** Parts of one kind are added up. */
  kind: PartKind;
  pid: number;
}

export const PART_KINDS = ["gateway", "worker", "Temporal", "Postgres"] as const;
export type PartKind = (typeof PART_KINDS)[number];
