import type { EndWatch } from "./end-watch.ts";
import type { HttpClient, HttpRequest } from "./http-client.ts";

/** What is compared: a column of the table. */
export const SYSTEMS = ["raw", "naive", "service", "local", "untouched", "dbos"] as const;
export type SystemName = (typeof SYSTEMS)[number];

/** What stands in the table's head, and in the charts. */
export const TITLES: Readonly<Record<SystemName, string>> = {
  raw: "raw Temporal",
  naive: "naive",
  service: "truerun",
  local: "truerun, local",
  untouched: "naive, untouched server",
  dbos: "DBOS",
};

/** One way to have the three steps done. */
export interface System {
  name: SystemName;
  /** Has one run accepted, and gives its id. */
  accept(): Promise<string>;
  /** Resolves when whoever started the run can see that it completed. @throws when it ended otherwise */
  untilEnded(id: string): Promise<void>;
  http: SystemHttp | null;
}

/** What is asked of a system over HTTP. */
export interface SystemHttp {
  /** Of its first gateway. */
  origin: string;
  getRun(id: string): HttpRequest;
  /** A request to start a run under an idempotency key; null: it has none. */
  startOnce: ((key: string) => HttpRequest) | null;
}

/** Processes that are started, stopped and measured together. */
export interface Deployment {
  /** Those that share its processes: the service's own two ways to execute a component. */
  systems: readonly System[];
  parts: readonly Part[];
  /** Where its load comes from; what holds connections across a pause. */
  http: HttpClient | null;
  ends: EndWatch | null;
  stop(): Promise<void>;
}

/** One process with all that it started. */
export interface Part {
  /** Such as `worker`; several of one kind are summed up. */
  kind: PartKind;
  pid: number;
}

export const PART_KINDS = ["gateway", "worker", "Temporal", "Postgres"] as const;
export type PartKind = (typeof PART_KINDS)[number];
