// Tells a database that is away (a 503: try again) from a fault of ours (a 500).

const READ_TIMEOUT = /Query read timeout/i;
const STATEMENT_TIMEOUT = /canceling statement due to statement timeout/i;

/**
 * What the layers between us and Postgres say when it is gone, silent or full, in a message or as a code. None of
 * them has a type for it. The texts are those of pg 8.23 and Prisma 7.10: look here when either is updated.
 */
const AWAY_TEXTS: readonly { source: string; text: RegExp }[] = [
  {
    source: "Node: the codes of socket and DNS errors, which are in their messages too",
    text: /ECONNREFUSED|ECONNRESET|ETIMEDOUT|EPIPE|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN/i,
  },
  {
    source: "pg, client.js: the connection broke under a statement, or had broken before it",
    text: /Connection terminated|Client has encountered a connection error/i,
  },
  {
    source: "pg, client.js: the connection was ended, because a statement on it took too long",
    text: /Client was closed and is not queryable/i,
  },
  { source: "pg, client.js: `query_timeout` has passed", text: READ_TIMEOUT },
  {
    source: "pg-pool: no connection was free or could be opened within `connectionTimeoutMillis`",
    text: /timeout exceeded when trying to connect/i,
  },
  {
    source: "pg-pool: this process is shutting down",
    text: /Cannot use a pool after calling end/i,
  },
  {
    source: "Prisma's adapter for pg: what it makes of the above, as the `kind` of an error",
    text: /DatabaseNotReachable|SocketTimeout|ConnectionClosed|TooManyConnections/i,
  },
  {
    source: "Prisma's client: what it makes of those kinds",
    text: /Can't reach database server|server has closed the connection/i,
  },
  {
    source: "Prisma's client: `$transaction` got no connection within `maxWait`",
    text: /Unable to start a transaction in the given time/i,
  },
  {
    source: "Postgres: `max_connections` are taken",
    text: /too many clients/i,
  },
  {
    source: "Postgres: it starts, stops or recovers",
    text: /the database system is (starting up|shutting down|in recovery mode|not yet accepting connections)/i,
  },
  {
    source: "Postgres: an administrator, or its own stop, ended the connection",
    text: /terminating connection/i,
  },
  {
    source: "Postgres: `statement_timeout` has passed",
    text: STATEMENT_TIMEOUT,
  },
];

const AWAY_CODES: readonly { source: string; code: RegExp }[] = [
  { source: "SQLSTATE class 08: connection exceptions", code: /^08...$/ },
  { source: "SQLSTATE class 53: out of memory, disk or connections", code: /^53...$/ },
  {
    source: "SQLSTATE 57P01 to 57P05: stopped, crashed, not up yet, idle for too long",
    code: /^57P0.$/,
  },
  { source: "SQLSTATE 57014: statement canceled, by its timeout", code: /^57014$/ },
  { source: "SQLSTATE 25006: read-only: a standby, or a disk that is full", code: /^25006$/ },
  { source: "SQLSTATE 25P03: silent for too long in a transaction", code: /^25P03$/ },
  {
    source: "SQLSTATE 40001, 40P01, 55P03: another transaction was in the way",
    code: /^(40001|40P01|55P03)$/,
  },
  { source: "Prisma: unreachable; too slow to connect", code: /^P100[12]$/ },
  { source: "Prisma: timed out; connection closed by the server", code: /^P10(08|17)$/ },
  {
    source: "Prisma: no connection free in time, outside and inside of transactions",
    code: /^P20(24|28)$/,
  },
];

/**
 * Whether an error says that the database cannot be reached or is too slow, so that the same request
 * may succeed later. Any other error of the database is a bug.
 */
export function isDatabaseUnavailable(error: unknown, depth = 0): boolean {
  if (typeof error !== "object" || error === null || depth > 5) return false;
  const { message, code, cause, meta, originalCode, errors, driverAdapterError } = error as Record<
    string,
    unknown
  >;
  if (
    saysAway(message) ||
    [code, originalCode].some((each) => isAwayCode(each) || saysAway(each))
  ) {
    return true;
  }
  const inner = [cause, meta, driverAdapterError, ...(Array.isArray(errors) ? errors : [])];
  return inner.some((each) => isDatabaseUnavailable(each, depth + 1));
}

/** Whether the server was silent for longer than a statement may take. */
export function isReadTimeout(error: unknown): boolean {
  return error instanceof Error && READ_TIMEOUT.test(error.message);
}

/** Whether the server, which is there, gave up a statement that took longer than it may. */
export function isStatementTimeout(error: unknown): boolean {
  return error instanceof Error && STATEMENT_TIMEOUT.test(error.message);
}

function saysAway(text: unknown): boolean {
  return typeof text === "string" && AWAY_TEXTS.some((each) => each.text.test(text));
}

function isAwayCode(code: unknown): boolean {
  return typeof code === "string" && AWAY_CODES.some((each) => each.code.test(code));
}
