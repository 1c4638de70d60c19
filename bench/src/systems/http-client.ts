import { Agent, request as send } from "node:http";

export interface HttpRequest {
  method: "GET" | "POST" | "PUT";
  path: string;
  headers: Record<string, string>;
  body?: string;
}

export interface HttpAnswer {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  text: string;
}

export interface HttpClient {
  /** Each request goes to the next gateway. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** Closes idle connections: a gateway that was held closes them too, possibly in the middle of a request. */
  dropIdle(): void;
}

/** Keeps its connections open, as any client that calls an API often does. */
export function createHttpClient(ports: readonly number[]): HttpClient {
  let agent = new Agent({ keepAlive: true, maxSockets: Infinity });
  let next = 0;
  return {
    async send({ method, path, headers, body }) {
      const port = ports[next++ % ports.length] ?? 0;
      return await new Promise((resolve, reject) => {
        const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
        const options = { host: "127.0.0.1", port, method, path, agent };
        const request = send({ ...options, headers: { ...headers, ...length } }, (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () => {
            const text = Buffer.concat(chunks).toString();
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
          });
        });
        request.on("error", reject);
        request.end(body);
      });
    },
    dropIdle() {
      agent.destroy();
      agent = new Agent({ keepAlive: true, maxSockets: Infinity });
    },
  };
}

/** @throws when the answer has another status */
export async function expectStatus(
  client: HttpClient,
  request: HttpRequest,
  status: number,
): Promise<string> {
  const answer = await client.send(request);
  if (answer.status === status) return answer.text;
  throw new Error(
    `${request.method} ${request.path} was answered ${answer.status}: ${answer.text}`,
  );
}
