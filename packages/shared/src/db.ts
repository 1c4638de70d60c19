import { PrismaPg } from "@prisma/adapter-pg";
import { Pool, type PoolClient } from "pg";
import { isReadTimeout } from "./database-unavailable.ts";
import { toSession } from "./database-session.ts";
import { allowDirectQueries } from "./direct-query.ts";
import { PrismaClient } from "./generated/prisma/client.ts";

export { isDatabaseUnavailable, isStatementTimeout } from "./database-unavailable.ts";
export { Prisma } from "./generated/prisma/client.ts";

/** Access to the run tables. */
export type Database = PrismaClient;

export interface DatabaseOptions {
  /** `postgresql://...` */
  url: string;
  /** Maximum connections. */
  poolSize: number;
  /** Shown in `pg_stat_activity`. */
  applicationName: string;
  /** How long one statement may take before the database counts as unavailable. */
  statementTimeoutMs?: number;
  /** False: commits return before they are on disk. For rows that can be made again. */
  synchronousCommit?: boolean;
  /**
   * True: statements are planned once, regardless of their values. For those that find few rows by index,
   * whatever the values, and take longer to plan than to execute.
   */
  planOnce?: boolean;
  /**
   * True: no table is scanned where an index can find the rows. A plan made while a table was all but empty would
   * scan it, and is kept until Postgres analyzes the table, a minute later. A plan may still walk a whole index:
   * look rows up by conditions that only the right index serves.
   */
  byIndex?: boolean;
}

/** How long to wait for a connection or a place in the pool. */
const CONNECT_TIMEOUT_MS = 2_000;
/** How long the server may take to say that a statement took too long. */
const ANSWER_MS = 250;
/** How long an idle connection is kept: a burst after a pause must not wait for new ones. */
const IDLE_TIMEOUT_MS = 300_000;
/** More than the services have different statements; any beyond that are sent unprepared. */
const MAX_PREPARED = 500;

/** Opens nothing until the first statement. End with `$disconnect()`. */
export function createDatabase(options: DatabaseOptions): Database {
  const statementTimeoutMs = options.statementTimeoutMs ?? 2_500;
  const pool = new Pool({
    ...toSession(options.url, toSettings(options)),
    max: options.poolSize,
    application_name: options.applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    // The first acts on the server, for slow statements; the second on this side, for a silent server.
    statement_timeout: statementTimeoutMs - ANSWER_MS,
    query_timeout: statementTimeoutMs,
    keepAlive: true,
  });
  pool.on("connect", endWhenTooSlow);
  // An idle connection that breaks just leaves the pool; nobody waits for it.
  pool.on("error", () => {});
  const nameOf = createStatementNames();
  const adapter = new PrismaPg(pool, { statementNameGenerator: nameOf, disposeExternalPool: true });
  const db = new PrismaClient({ adapter, errorFormat: "minimal" });
  allowDirectQueries(db, { pool, nameOf });
  return db;
}

function toSettings(options: DatabaseOptions): string[] {
  return [
    ...(options.synchronousCommit === false ? ["synchronous_commit=off"] : []),
    ...(options.planOnce === true ? ["plan_cache_mode=force_generic_plan"] : []),
    // Up to Postgres 17, a table without an index makes such a plan look expensive enough for JIT, each time.
    ...(options.byIndex === true ? ["enable_seqscan=off", "jit=off"] : []),
  ];
}

/**
 * Ends a connection when a statement on it takes too long, so that nothing is sent over it any more. In a transaction
 * Prisma would send the ROLLBACK behind that statement, give up on it likewise, and put the connection back into the
 * pool; when the server wakes, others' statements would become part of the transaction, and be committed with it.
 */
function endWhenTooSlow(client: PoolClient): void {
  const query = client.query.bind(client) as (...args: unknown[]) => unknown;
  const checked = (...args: unknown[]): unknown => {
    const result = query(...args);
    if (result instanceof Promise) {
      result.catch((error: unknown) => {
        if (isReadTimeout(error)) void client.end();
      });
    }
    return result;
  };
  client.query = checked as PoolClient["query"];
}

/** The adapter prepares a statement only when it has a name: equal text, equal name. */
function createStatementNames(): (query: { sql: string }) => string {
  const names = new Map<string, string>();
  return ({ sql }) => {
    const known = names.get(sql);
    if (known !== undefined) return known;
    if (names.size >= MAX_PREPARED) return "";
    const name = `s${names.size}`;
    names.set(sql, name);
    return name;
  };
}
