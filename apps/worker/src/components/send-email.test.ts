import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CancelledFailure } from "@temporalio/common";
import { createWithCheck } from "@truerun/shared/contracts/definition-with-schema";
import type { Json } from "@truerun/shared/contracts/json";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { type AttemptOptions, failureOf, runComponent } from "../component-kit/run-component.ts";
import { deliverEmail } from "../outbound-smtp/deliver-email.ts";
import { parseEmailSender, parseSmtpUrl } from "../outbound-smtp/email-settings.ts";
import { TestSmtpServer } from "../outbound-smtp/testing/test-smtp-server.ts";
import sendEmail from "./send-email.ts";

let server: TestSmtpServer;

beforeAll(async () => {
  server = await TestSmtpServer.listen();
});
beforeEach(() => {
  server.seen.length = 0;
});
afterAll(() => server.close());

interface Options extends AttemptOptions {
  url?: string;
  from?: string;
}

function send(input: object = {}, options: Options = {}) {
  const {
    url = `smtp://127.0.0.1:${server.port}`,
    from = "Us <us@example.com>",
    ...attempt
  } = options;
  return runComponent(sendEmail, {
    ...attempt,
    rawInput: { to: "a@example.com", subject: "Hello", text: "Text", ...input },
    env: { SMTP_URL: url, EMAIL_FROM: from },
  });
}

/** The headers of the only message, by lower-cased name, and what comes after them. */
function onlyMessage() {
  expect(server.seen).toHaveLength(1);
  const { raw = "", ...envelope } = server.seen[0] ?? {};
  const end = raw.indexOf("\r\n\r\n");
  const lines = raw
    .slice(0, end)
    .replaceAll(/\r\n[ \t]/g, " ")
    .split("\r\n");
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(":")).toLowerCase(),
      line.replace(/^.*?: /, ""),
    ]),
  );
  return { ...envelope, headers, body: raw.slice(end + 4) };
}

it.each<[string, Record<string, Json>, string[]]>([
  ["a text", { text: "${{ input.text }}" }, []],
  ["neither text nor html", { cc: "${{ input.cc }}" }, [" value_error"]],
  ["an address that is none", { to: "nobody", html: "x" }, ["to value_error"]],
])("a definition with %s is judged when it is saved", (_name, given, faults) => {
  const check = createWithCheck(
    new Map([["send_email", z.toJSONSchema(sendEmail.input, { io: "input" }) as Json]]),
  );
  const found = check("send_email", { to: "a@example.com", subject: "x", ...given });
  expect(found.map(({ loc, type }) => `${loc.join(".")} ${type}`)).toEqual(faults);
});

describe("an email", () => {
  it("goes to all who are named, once each, from the configured sender", async () => {
    await send({
      to: ["a@example.com", "b@example.com"],
      cc: ["b@example.com", "c@example.com"],
      reply_to: "r@example.com",
      subject: "Grüße",
    });
    const { from, to, headers, body } = onlyMessage();
    expect({ from, to }).toEqual({
      from: "us@example.com",
      to: ["a@example.com", "b@example.com", "c@example.com"],
    });
    expect(headers).toMatchObject({
      from: "Us <us@example.com>",
      to: "a@example.com, b@example.com",
      cc: "b@example.com, c@example.com",
      "reply-to": "r@example.com",
      "auto-submitted": "auto-generated",
    });
    expect(headers["subject"]).toBe("=?UTF-8?Q?Gr=C3=BC=C3=9Fe?=");
    expect(body.trim()).toBe("Text");
  });

  it("becomes a file where no server is wanted, one however often it is sent", async () => {
    const folder = await mkdtemp(join(tmpdir(), "outbox-"));
    const env = { SMTP_URL: "outbox:", EMAIL_FROM: "us@example.com", OUTBOX_DIR: folder };
    const input = { to: "a@example.com", subject: "Hello", text: "Text" };
    const { output } = await runComponent(sendEmail, { input, env });
    await runComponent(sendEmail, { input, env, attempt: 2 });
    const files = await readdir(folder);
    expect(files).toEqual([`${output.message_id.slice(1, 33)}.eml`]);
    const text = await readFile(join(folder, files[0] ?? ""), "utf8");
    expect(text).toContain("Subject: Hello\r\n");
    expect(server.seen).toEqual([]);
    await rm(folder, { recursive: true });
  });

  it("is text, HTML or both", async () => {
    await send({ text: undefined, html: "<p>x</p>" });
    expect(onlyMessage().headers["content-type"]).toContain("text/html");
    server.seen.length = 0;
    await send({ html: "<p>x</p>" });
    const { headers, body } = onlyMessage();
    expect(headers["content-type"]).toContain("multipart/alternative");
    expect(body).toMatch(/text\/plain[\s\S]*Text[\s\S]*text\/html[\s\S]*<p>x<\/p>/);
  });

  it("has an id that an attempt of any release makes", async () => {
    const { output } = await send();
    expect(output.message_id).toBe("<61efae16b092fe180dbd55dee23cb387@example.com>");
  });

  it("has an id that is equal in another attempt, and another one in another step", async () => {
    const first = await send({}, { attempt: 1 });
    expect(first.output).toEqual({ message_id: onlyMessage().headers["message-id"] });
    expect(first.output).toMatchObject({
      message_id: expect.stringMatching(/^<[0-9a-f]{32}@example\.com>$/) as unknown,
    });
    const second = await send({}, { attempt: 2 });
    expect(second.output).toEqual(first.output);
    const other = await send({}, { stepKey: "other" });
    expect(other.output).not.toEqual(first.output);
  });

  it("cannot be ended, or given headers, by what is in its texts", async () => {
    const text = "a\r\n.\r\nMAIL FROM:<x@example.com>\r\nBcc: y@example.com";
    await send({ text });
    const { to, headers, body } = onlyMessage();
    expect(to).toEqual(["a@example.com"]);
    expect(headers["bcc"]).toBeUndefined();
    expect(body.trim()).toBe(text);
  });

  it.each([
    [{ subject: "x\r\nBcc: y@example.com" }, "with.subject"],
    [{ subject: "x\ny" }, "with.subject"],
    [{ to: "a@example.com\r\nBcc: y@example.com" }, "with.to"],
    [{ to: ["a@example.com, y@example.com"] }, "with.to"],
    [{ to: "A <a@example.com>" }, "with.to"],
    [{ to: [] }, "with.to"],
    [{ to: Array.from({ length: 51 }, (_, n) => `a${n}@example.com`) }, "with.to"],
    [{ reply_to: "r@example.com\nX: y" }, "with.reply_to"],
    [{ cc: "nobody" }, "with.cc"],
    [{ text: undefined }, "needs text or html"],
    [{ bcc: "y@example.com" }, "with: "],
  ])("that is not well formed is refused: %j", async (input, place) => {
    const failure = await failureOf(send(input));
    expect(failure).toMatchObject({ type: "InvalidInput", nonRetryable: true });
    expect(failure.message).toContain(place);
    expect(server.seen).toEqual([]);
  });
});

describe("without configuration", () => {
  it.each([
    [{ url: "" }, "set SMTP_URL in"],
    [{ from: "" }, "set EMAIL_FROM in"],
    [{ url: "", from: "" }, "set SMTP_URL and EMAIL_FROM in"],
  ])("%j fails for good, naming what to set", async (options, what) => {
    const failure = await failureOf(send({}, options));
    expect(failure).toMatchObject({ type: "NotConfigured", nonRetryable: true });
    expect(failure.message).toContain(what);
  });
});

describe("answers of the server", () => {
  it.each([
    [
      "a refused recipient",
      { to: "gone.550@example.com" },
      true,
      "gone.550@example.com (550 because",
    ],
    ["a recipient that is put off", { to: "busy.450@example.com" }, false, "450 because of 450"],
    ["a refused message", { text: "X-Answer: 554" }, true, "554 because of 554"],
    ["a message that is put off", { text: "X-Answer: 451" }, false, "451 because of 451"],
  ])("%s", async (_, input, nonRetryable, message) => {
    const failure = await failureOf(send(input));
    expect(failure).toMatchObject({ type: "SmtpAnswer", nonRetryable });
    expect(failure.message).toContain(message);
    expect(server.seen).toEqual([]);
  });

  it.each([
    ["us.550@example.com", true],
    ["us.421@example.com", false],
  ])("a sender that is refused: %s", async (from, nonRetryable) => {
    expect(await failureOf(send({}, { from }))).toMatchObject({ type: "SmtpAnswer", nonRetryable });
  });

  it("when all are refused, one that is only put off is tried again", async () => {
    const failure = await failureOf(send({ to: ["a.450@example.com", "b.550@example.com"] }));
    expect(failure).toMatchObject({ type: "SmtpAnswer", nonRetryable: false });
  });

  it.each(["450", "550"])("some refused (%s): the others are not sent to twice", async (code) => {
    const failure = await failureOf(send({ to: ["a@example.com", `b.${code}@example.com`] }));
    expect(failure).toMatchObject({ type: "RecipientsRefused", nonRetryable: true });
    expect(failure.message).toContain(`took the message for the others: b.${code}@example.com`);
    expect(onlyMessage().to).toEqual(["a@example.com"]);
  });
});

describe("credentials", () => {
  let guarded: TestSmtpServer;
  beforeAll(async () => {
    guarded = await TestSmtpServer.listen({
      authOptional: false,
      onAuth: ({ username, password }, _, done) =>
        password === "p@ss"
          ? done(null, { user: username ?? "" })
          : done(
              Object.assign(new Error("not you"), {
                responseCode: password === "busy" ? 454 : 535,
              }),
            ),
    });
  });
  afterAll(() => guarded.close());
  const as = (credentials: string): Options => ({
    url: `smtp://${credentials}127.0.0.1:${guarded.port}`,
  });

  it("are those of SMTP_URL", async () => {
    await send({}, as("bob:p%40ss@"));
    expect(guarded.seen.map(({ user }) => user)).toEqual(["bob"]);
  });

  it.each([
    ["bob:wrong-one@", true],
    ["bob:busy@", false],
    ["", true],
  ])("%s fail, and are not told", async (credentials, nonRetryable) => {
    const failure = await failureOf(send({}, as(credentials)));
    expect(failure).toMatchObject({ type: "SmtpAnswer", nonRetryable });
    expect(failure.message).not.toContain("wrong-one");
  });
});

describe("TLS", () => {
  it.each([
    ["smtps", { secure: true }],
    ["smtp", { hideSTARTTLS: false }],
  ])("of %s needs a certificate that somebody vouches for", async (scheme, options) => {
    const own = await TestSmtpServer.listen(options);
    const failure = await failureOf(send({}, { url: `${scheme}://127.0.0.1:${own.port}` }));
    expect(failure).toMatchObject({ type: "NetworkError", nonRetryable: false });
    expect(failure.message).toMatch(/certificate/i);
    expect(own.seen).toEqual([]);
    await own.close();
  });
});

describe("a server that hangs", () => {
  let hanging: Server;
  const sockets = new Set<Socket>();
  beforeEach(async () => {
    hanging = createServer((socket) => {
      sockets.add(socket.on("error", () => undefined));
    });
    await new Promise<void>((done) => hanging.listen(0, "127.0.0.1", done));
  });
  afterEach(() => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    hanging.close();
  });
  const url = (): string => `smtp://127.0.0.1:${(hanging.address() as AddressInfo).port}`;
  const connected = () => expect.poll(() => sockets.size, { timeout: 5_000, interval: 10 }).toBe(1);

  it("is left when the step is canceled, and its connection is closed", async () => {
    const canceler = new AbortController();
    const work = send({}, { url: url(), signal: canceler.signal }).catch((error: unknown) => error);
    await connected();
    canceler.abort();
    expect(await work).toBeInstanceOf(CancelledFailure);
    const [socket] = sockets;
    socket?.resume();
    await expect.poll(() => socket?.readableEnded, { timeout: 5_000, interval: 10 }).toBe(true);
  });

  it.each([
    ["before its greeting", ""],
    ["after it", "220 here\r\n"],
  ])("%s is given up, to be tried again", async (_, greeting) => {
    hanging.on("connection", (socket) => greeting !== "" && socket.write(greeting));
    const smtpServer = parseSmtpUrl(url());
    const from = parseEmailSender("us@example.com");
    if (smtpServer === null || smtpServer === "outbox:" || from === null)
      throw new Error("bad settings");
    const email = { from, to: ["a@example.com"], cc: [], replyTo: null, html: null };
    const work = deliverEmail(
      smtpServer,
      { ...email, messageId: "<x@example.com>", subject: "x", text: "x" },
      {
        signal: new AbortController().signal,
        timeouts: { connectMs: 2_000, greetingMs: 100, silenceMs: 200 },
      },
    );
    await expect(work).rejects.toMatchObject({ type: "NetworkError", nonRetryable: false });
  });

  it("or is not there is tried again", async () => {
    const failure = await failureOf(send({}, { url: "smtp://127.0.0.1:1" }));
    expect(failure).toMatchObject({ type: "NetworkError", nonRetryable: false });
    expect(failure.message).toContain("ECONNREFUSED");
  });
});
