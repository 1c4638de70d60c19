import { describe, expect, it } from "vitest";
import { isDatabaseUnavailable } from "./database-unavailable.ts";

/** An error as each layer throws it. */
const AWAY: readonly Record<string, unknown>[] = [
  { code: "ECONNREFUSED", message: "connect ECONNREFUSED 127.0.0.1:5432" },
  { code: "EAI_AGAIN", message: "getaddrinfo EAI_AGAIN postgres" },
  { message: "Connection terminated unexpectedly" },
  { message: "Client has encountered a connection error and is not queryable" },
  { message: "Query read timeout" },
  { message: "timeout exceeded when trying to connect" },
  { message: "Cannot use a pool after calling end on the pool" },
  { code: "P1001", message: "Can't reach database server at 127.0.0.1:5432" },
  { code: "P1017", message: "Server has closed the connection." },
  { code: "P2028", message: "Unable to start a transaction in the given time." },
  { code: "53300", message: "sorry, too many clients already" },
  { code: "57P03", message: "the database system is starting up" },
  { code: "57P01", message: "terminating connection due to administrator command" },
  { code: "57014", message: "canceling statement due to statement timeout" },
  { code: "08006", message: "" },
  { code: "25006", message: "cannot execute INSERT in a read-only transaction" },
  { code: "40P01", message: "deadlock detected" },
  { message: "Client was closed and is not queryable" },
  { message: "Raw query failed", meta: { driverAdapterError: { message: "SocketTimeout" } } },
  { message: "", errors: [{ code: "ECONNREFUSED" }, { code: "ENETUNREACH" }] },
];

const OURS: readonly unknown[] = [
  { code: "23505", message: "duplicate key value violates unique constraint" },
  { code: "42601", message: "syntax error at or near" },
  { code: "P2002", message: "Unique constraint failed" },
  { code: "xP1001x", message: "" },
  "ECONNREFUSED",
  null,
];

describe("a database that is away", () => {
  it.each(AWAY)("is told by %j", (error) => expect(isDatabaseUnavailable(error)).toBe(true));
  it.each(OURS)("is not told by %j", (error) => expect(isDatabaseUnavailable(error)).toBe(false));
  it("is looked for in causes, but not for ever", () => {
    const loop: Record<string, unknown> = { message: "round" };
    loop["cause"] = loop;
    expect(isDatabaseUnavailable(loop)).toBe(false);
    expect(isDatabaseUnavailable({ cause: { cause: { code: "EPIPE" } } })).toBe(true);
  });
});
