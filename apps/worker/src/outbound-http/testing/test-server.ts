// For tests only.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";

/** A request as the server got it. */
interface SeenRequest {
  method: string;
  url: string;
  headers: IncomingMessage["headers"];
  body: string;
}

/** A server on 127.0.0.1 whose paths answer in every way that a client has to cope with. */
export class TestServer {
  /** Requests in the order in which they came. */
  readonly seen: SeenRequest[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#take(request, response));
  }

  static async listen(): Promise<TestServer> {
    const server = new TestServer();
    await new Promise<void>((done) => server.#server.listen(0, "127.0.0.1", done));
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The URL of a path of this server. */
  at(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** The URL of a path that redirects to `target` with this status. */
  redirectTo(status: number, target: string): string {
    return this.at(`/redirect/${status}?to=${encodeURIComponent(target)}`);
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = "", url = "", headers } = request;
    this.seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
    answer(new URL(url, "http://test"), response);
  }
}

function answer({ pathname, searchParams }: URL, response: ServerResponse): void {
  const [, what = "", detail = ""] = pathname.split("/");
  switch (what) {
    case "json":
      response.setHeader("Content-Type", "application/problem+json; charset=utf-8");
      response.setHeader("Set-Cookie", ["a=1", "b=2"]);
      response.end('{"__proto__":{"x":1},"n":1}');
      return;
    case "status":
      response.writeHead(Number(detail), { "Retry-After": searchParams.get("after") ?? "0" });
      response.end(`the   reason\n${"é".repeat(500)}`);
      return;
    case "redirect": {
      const location = searchParams.get("to") ?? "";
      response.writeHead(Number(detail), { Location: location }).end("moved");
      return;
    }
    case "bytes":
      response.end(Buffer.from([0xff, 0xd8, 0x00, 0xfe]));
      return;
    case "latin1":
      response.setHeader("Content-Type", "text/plain; charset=iso-8859-1");
      response.end(Buffer.from("gr\u00fc\u00df", "latin1"));
      return;
    case "gzip":
      response.setHeader("Content-Encoding", "gzip");
      response.end(gzipSync(Buffer.alloc(Number(detail), "z")));
      return;
    case "large":
      response.end(Buffer.alloc(Number(detail), "z"));
      return;
    case "empty":
      response.writeHead(204).end();
      return;
    case "broken":
      response.write("begin");
      response.destroy();
      return;
    case "cut":
      // Once the status is on its way, not before.
      response.write("begin", () => response.destroy());
      return;
    case "hang":
      return;
    default:
      response.end("ok");
  }
}
