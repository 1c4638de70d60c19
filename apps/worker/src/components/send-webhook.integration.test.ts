import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createLedger, provesRetrySafe } from "../component-kit/proves-retry-safe.ts";
import sendWebhook from "./send-webhook.ts";

const ledger = createLedger();
/** Takes each event once, by its webhook-id, as the rules of Standard Webhooks tell receivers to. */
const receiver = createServer((request, response) => {
  const done = ledger.record({
    idempotencyKey: decodeURIComponent(request.url?.slice(1) ?? ""),
    effect: "event",
    recognizedBy: request.headers["webhook-id"]?.toString(),
  });
  void done.then(() => response.end());
});

beforeAll(() => new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve)));
afterAll(() => {
  receiver.closeAllConnections();
  receiver.close();
});

test("a webhook is retry safe", async () => {
  const { port } = receiver.address() as AddressInfo;
  const report = await provesRetrySafe(sendWebhook, {
    input: (key) => ({
      url: `http://127.0.0.1:${port}/${encodeURIComponent(key)}`,
      event_type: "vendor.approved",
      data: { key },
      secret_name: "billing",
    }),
    env: {
      HTTP_ALLOWED_PRIVATE_HOSTS: "127.0.0.1",
      WEBHOOK_SECRET_BILLING: "the bytes of the key",
    },
    ledger,
  });
  expect(report.expected).toEqual(["event"]);
});
