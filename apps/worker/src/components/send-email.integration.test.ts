import { afterAll, beforeAll, expect, test } from "vitest";
import { createLedger, provesRetrySafe } from "../component-kit/proves-retry-safe.ts";
import { TestSmtpServer } from "../outbound-smtp/testing/test-smtp-server.ts";
import sendEmail from "./send-email.ts";

const ledger = createLedger();
let server: TestSmtpServer;

beforeAll(async () => {
  // Delivers a message once, by its Message-ID.
  server = await TestSmtpServer.listen({
    onData(stream, _, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const message = Buffer.concat(chunks).toString();
        const idempotencyKey = /^Subject: (.*)\r$/m.exec(message)?.[1] ?? "";
        const recognizedBy = /^Message-ID: (.*)\r$/m.exec(message)?.[1];
        void ledger.record({ idempotencyKey, effect: "mail", recognizedBy }).then(() => done());
      });
    },
  });
});
afterAll(() => server.close());

test("an email is retry safe where repeats are told by Message-ID", async () => {
  const report = await provesRetrySafe(sendEmail, {
    input: (key) => ({ to: ["a@example.com", "b@example.com"], subject: key, text: "Text" }),
    env: { SMTP_URL: `smtp://127.0.0.1:${server.port}`, EMAIL_FROM: "us@example.com" },
    ledger,
  });
  expect(report.expected).toEqual(["mail"]);
});
