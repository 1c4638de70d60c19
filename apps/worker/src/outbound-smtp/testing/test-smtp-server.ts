// For tests only.
import type { AddressInfo } from "node:net";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";

/** A message as the server got it. */
interface SeenMessage {
  from: string;
  to: string[];
  /** Headers and body, as sent. */
  raw: string;
  user: string | null;
}

/**
 * A mail server on 127.0.0.1 that answers as the addresses say: `a.450@example.com` is put off,
 * `a.550@example.com` refused. The same goes for the sender, and for a message with `X-Answer: <code>` in it.
 */
export class TestSmtpServer {
  readonly seen: SeenMessage[] = [];
  readonly #server: SMTPServer;

  private constructor(options: SMTPServerOptions) {
    this.#server = new SMTPServer({
      authOptional: true,
      allowInsecureAuth: true,
      // Nobody vouches for its certificate: a client that checks it would not go on.
      hideSTARTTLS: true,
      logger: false,
      onMailFrom: ({ address }, _, done) => done(answerOf(/\.(\d{3})@/.exec(address))),
      onRcptTo: ({ address }, _, done) => done(answerOf(/\.(\d{3})@/.exec(address))),
      onData: (stream, session, done) => {
        const chunks: Buffer[] = [];
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("end", () => {
          const raw = Buffer.concat(chunks).toString();
          const answer = answerOf(/X-Answer: (\d{3})/.exec(raw));
          if (answer === null) {
            const { mailFrom, rcptTo } = session.envelope;
            this.seen.push({
              from: mailFrom === false ? "" : mailFrom.address,
              to: rcptTo.map(({ address }) => address),
              raw,
              user: typeof session.user === "string" ? session.user : null,
            });
          }
          done(answer);
        });
      },
      ...options,
    });
    // In some tests the client goes away in the middle.
    this.#server.on("error", () => undefined);
  }

  static async listen(options: SMTPServerOptions = {}): Promise<TestSmtpServer> {
    const server = new TestSmtpServer(options);
    await new Promise<void>((done) => server.#server.listen(0, "127.0.0.1", done));
    return server;
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port;
  }

  close(): Promise<void> {
    return new Promise((done) => this.#server.close(done));
  }
}

function answerOf(match: RegExpExecArray | null): Error | null {
  const code = match?.[1];
  if (code === undefined) return null;
  return Object.assign(new Error(`because of ${code}`), { responseCode: Number(code) });
}
