import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pause } from "@truerun/shared/pause";

/** Somebody else's system, which components call: records everything that is done to it. */
export interface Ledger {
  url: string;
  /** When each execution arrived, by the Idempotency-Key that it carried (run id and step key). */
  executions: ReadonlyMap<string, readonly number[]>;
  close(): Promise<void>;
}

/**
 * Answers `/ok` at once, `/slow/<ms>` after so long, `/flaky/<n>` with 503 the first n times for a key, and
 * `/refuse` with 400. What was received counts as done, whether its caller waits for the answer or not.
 */
export async function startLedger(): Promise<Ledger> {
  const executions = new Map<string, number[]>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    for await (const _chunk of request);
    const key = String(request.headers["idempotency-key"]);
    const times = executions.get(key) ?? [];
    executions.set(key, times);
    times.push(Date.now());
    const [, path = "", argument = ""] = (request.url ?? "").split("/");
    if (path === "slow") await pause(Number(argument));
    const isFailing = path === "flaky" && times.length <= Number(argument);
    const status = isFailing ? 503 : path === "refuse" ? 400 : 200;
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify({ executions: times.length }));
  };
  const server = createServer((request, response) => {
    // A caller that was killed in the middle of its request has done nothing.
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    executions,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
