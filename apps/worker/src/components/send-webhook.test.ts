import { createHmac, createSecretKey } from "node:crypto";
import { CancelledFailure } from "@temporalio/common";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type AttemptOptions, failureOf, runComponent } from "../component-kit/run-component.ts";
import { TestServer } from "../outbound-http/testing/test-server.ts";
import sendWebhook from "./send-webhook.ts";

const KEY = Buffer.from("the bytes of the key");
const WHSEC = `whsec_${KEY.toString("base64")}`;

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.listen();
});
beforeEach(() => {
  server.seen.length = 0;
});
afterAll(() => {
  server.close();
});

interface Options extends AttemptOptions {
  secret?: string;
  allowed?: string;
}

function send(input: object = {}, options: Options = {}) {
  const { secret = WHSEC, allowed = `127.0.0.1:${server.port}`, ...attempt } = options;
  return runComponent(sendWebhook, {
    ...attempt,
    rawInput: {
      url: server.at("/hook"),
      event_type: "vendor.approved",
      data: { name: "Zoë", n: 1 },
      secret_name: "billing",
      ...input,
    },
    env: { HTTP_ALLOWED_PRIVATE_HOSTS: allowed, WEBHOOK_SECRET_BILLING: secret },
  });
}

function onlyRequest() {
  expect(server.seen).toHaveLength(1);
  const { headers = {}, body = "", method, url } = server.seen[0] ?? {};
  return { headers, body, method, url, id: String(headers["webhook-id"]) };
}

/** As a receiver computes it, with the key as in the published rules, not as the component has it. */
function hmac(key: Buffer, text: string, encoding: "base64" | "hex"): string {
  return createHmac("sha256", createSecretKey(key)).update(text).digest(encoding);
}

describe("a webhook", () => {
  it("is a POST of the event, and its id and status are the output", async () => {
    const { output } = await send({}, { scheduledAtMs: 1_746_576_000_999 });
    const { method, url, headers, body, id } = onlyRequest();
    expect({ method, url, type: headers["content-type"] }).toEqual({
      method: "POST",
      url: "/hook",
      type: "application/json",
    });
    expect(id).toMatch(/^cbevt_[0-9a-f]{32}$/);
    expect(body).toBe(
      `{"event_id":"${id}","event_type":"vendor.approved","occurred_at":1746576000,"data":{"name":"Zoë","n":1}}`,
    );
    expect(output).toEqual({ status: 200, event_id: id });
  });

  it("has an id that an attempt of any release makes", async () => {
    await send();
    expect(onlyRequest().id).toBe("cbevt_9bd6ff76f849dc4cda642b9419e8e6ae");
  });

  it.each([
    ["whsec_ and base64", WHSEC, KEY],
    ["any other text", "grüße aus 64=", Buffer.from("grüße aus 64=", "utf8")],
  ])("is signed in both ways, with a secret of %s", async (_, secret, key) => {
    const before = Math.floor(Date.now() / 1_000);
    await send({}, { secret });
    const { headers, body, id } = onlyRequest();
    const timestamp = String(headers["webhook-timestamp"]);
    expect(Number(timestamp)).toBeGreaterThanOrEqual(before);
    expect(Number(timestamp)).toBeLessThanOrEqual(Date.now() / 1_000);
    expect(headers["webhook-signature"]).toBe(
      `v1,${hmac(key, `${id}.${timestamp}.${body}`, "base64")}`,
    );
    expect(headers["x-webhook-signature"]).toBe(`sha256=${hmac(key, body, "hex")}`);
  });

  it("is the same event with the same body in another attempt, another one in another step", async () => {
    await send({}, { attempt: 1 });
    await send({}, { attempt: 2 });
    await send({}, { stepKey: "other" });
    const [first, second, other] = server.seen;
    expect(second?.body).toBe(first?.body);
    expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
    expect(other?.headers["webhook-id"]).not.toBe(first?.headers["webhook-id"]);
  });

  it("may hold any JSON", async () => {
    for (const data of [null, [], "x", JSON.parse('{"__proto__":{"x":1}}')]) await send({ data });
    const shown = server.seen.map(({ body }) => body.slice(body.indexOf('"data"')));
    expect(shown).toEqual([
      '"data":null}',
      '"data":[]}',
      '"data":"x"}',
      '"data":{"__proto__":{"x":1}}}',
    ]);
  });
});

describe("secrets", () => {
  it("that are not set fail for good, naming the variable to set", async () => {
    const failure = await failureOf(send({ secret_name: "crm_v2" }));
    expect(failure).toMatchObject({ type: "UnknownSecret", nonRetryable: true });
    expect(failure.message).toContain("set WEBHOOK_SECRET_CRM_V2 in the worker's environment");
    expect(server.seen).toEqual([]);
  });

  it.each(["", "a-b", "a b", "../x", "1", "whsec_abc"])("cannot be named %j", async (name) => {
    const failure = await failureOf(send({ secret_name: name }));
    expect(failure).toMatchObject({ type: "InvalidInput", nonRetryable: true });
    expect(failure.message).not.toContain("abc");
  });

  it("stand in no output, failure or request", async () => {
    const hidden = [WHSEC, WHSEC.slice("whsec_".length), KEY.toString(), KEY.toString("hex")];
    const told = [
      JSON.stringify(await send()),
      ...(await Promise.all(
        ["/status/400", "/status/500", "/broken"].map(async (path) => {
          const { message, stack, details } = await failureOf(send({ url: server.at(path) }));
          return JSON.stringify({ message, stack, details });
        }),
      )),
      JSON.stringify(server.seen),
    ].join("\n");
    for (const secret of hidden) expect(told).not.toContain(secret);
  });
});

describe("answers", () => {
  it.each([400, 401, 404, 410, 422])("of status %i are not retried", async (status) => {
    const failure = await failureOf(send({ url: server.at(`/status/${status}?token=t`) }));
    expect(failure).toMatchObject({ type: "HttpStatus", nonRetryable: true });
    expect(failure.message).toContain(
      `POST ${server.at(`/status/${status}`)} answered ${status}: the reason`,
    );
  });

  it.each([408, 425, 429, 500, 503])("of status %i are retried, when they say", async (status) => {
    const failure = await failureOf(send({ url: server.at(`/status/${status}?after=7`) }));
    expect(failure).toMatchObject({ type: "HttpStatus", nonRetryable: false });
    expect(failure.nextRetryDelay).toBe(7_000);
  });

  it.each([301, 302, 303, 307, 308])(
    "that redirect (%i) fail and are not followed",
    async (status) => {
      const failure = await failureOf(send({ url: server.redirectTo(status, server.at("/next")) }));
      expect(failure).toMatchObject({ type: "HttpStatus", nonRetryable: true });
      expect(failure.message).toContain(`answered ${status}. Webhooks follow no redirects`);
      expect(onlyRequest().url).toContain("/redirect/");
    },
  );

  it.each(["/empty", "/cut", "/large/5000000", "/gzip/5000000", "/bytes"])(
    "of 2xx are a success, whatever their body: %s",
    async (path) => {
      const { output } = await send({ url: server.at(path) });
      expect(output).toMatchObject({ status: path === "/empty" ? 204 : 200 });
    },
  );

  it("that break off before their status are retried", async () => {
    expect(await failureOf(send({ url: server.at("/broken") }))).toMatchObject({
      type: "NetworkError",
      nonRetryable: false,
    });
  });

  it("that never come are ended by a cancellation", async () => {
    const canceler = new AbortController();
    const { signal } = canceler;
    const work = send({ url: server.at("/hang") }, { signal }).catch((error: unknown) => error);
    await expect.poll(() => server.seen.length, { timeout: 5_000, interval: 10 }).toBe(1);
    canceler.abort();
    expect(await work).toBeInstanceOf(CancelledFailure);
  });
});

describe("receivers", () => {
  it("must be public, or allowed", async () => {
    for (const host of ["127.0.0.1", "localhost", "[::1]", "169.254.169.254"]) {
      const url = `http://${host}:${server.port}/`;
      const failure = await failureOf(send({ url }, { allowed: "" }));
      expect(failure).toMatchObject({ type: "BlockedAddress", nonRetryable: true });
    }
    expect(server.seen).toEqual([]);
  });

  it.each(["no url", "ftp://example.com/", "http://user:pass@example.com/"])(
    "cannot be %j",
    async (url) => {
      const failure = await failureOf(send({ url }));
      expect(failure).toMatchObject({ type: "InvalidUrl", nonRetryable: true });
    },
  );

  it("that are gone are tried again", async () => {
    const failure = await failureOf(send({ url: "http://127.0.0.1:1/" }, { allowed: "127.0.0.1" }));
    expect(failure).toMatchObject({ type: "NetworkError", nonRetryable: false });
  });
});
