import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createLedger, provesRetrySafe } from "../component-kit/proves-retry-safe.ts";
import httpRequest from "./http-request.ts";

const ledger = createLedger();
/** Does what it is asked for once per Idempotency-Key. */
const server: Server = createServer((request, response) => {
  const done = ledger.record({
    idempotencyKey: decodeURIComponent(request.url?.slice(1) ?? ""),
    effect: `${request.method}`,
    recognizedBy: request.headers["idempotency-key"]?.toString(),
  });
  void done.then(() => response.end());
});
/** Sends everything on to the first, which is another origin. */
const detour: Server = createServer((request, response) => {
  response.writeHead(307, { location: urlOf(server, request.url ?? "") }).end();
});

beforeAll(async () => {
  for (const each of [server, detour]) {
    await new Promise<void>((resolve) => each.listen(0, "127.0.0.1", resolve));
  }
});
afterAll(() => {
  for (const each of [server, detour]) {
    each.closeAllConnections();
    each.close();
  }
});

function urlOf(to: Server, path: string): string {
  return `http://127.0.0.1:${(to.address() as AddressInfo).port}${path}`;
}

test.each([
  ["straight", server],
  ["by a redirect to another origin", detour],
])("a POST is retry safe, %s", async (_, to) => {
  const report = await provesRetrySafe(httpRequest, {
    input: (key) => ({ method: "POST", url: urlOf(to, `/${encodeURIComponent(key)}`) }),
    env: { HTTP_ALLOWED_PRIVATE_HOSTS: "127.0.0.1" },
    ledger,
  });
  expect(report.expected).toEqual(["POST"]);
});
