// For tests only: a connection that sends exactly what the test says, when it says so.
import { once } from "node:events";
import net from "node:net";
import { waitFor } from "@truerun/dev/testing/wait-for";

export interface RawConnection {
  write(text: string): void;
  /** Everything received so far. */
  received(): string;
  /** Waits until what has been received contains `text`. */
  receive(text: string): Promise<string>;
  /** Whether the connection is closed. */
  isClosed(): boolean;
  close(): void;
}

/** @param allowHalfOpen - whether it goes on when the other side has ended */
export async function connectRaw(port: number, allowHalfOpen = false): Promise<RawConnection> {
  const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen });
  let received = "";
  let isClosed = false;
  socket.on("data", (chunk) => {
    received += chunk.toString("latin1");
  });
  socket.on("close", () => {
    isClosed = true;
  });
  // Tests are about connections that are cut, even while being written to.
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return {
    write: (text) => void socket.write(text),
    received: () => received,
    receive: (text) =>
      waitFor(`${JSON.stringify(text)} to come`, () => received.includes(text) && received),
    isClosed: () => isClosed,
    close: () => socket.destroy(),
  };
}

/** The head of a request: request line, headers, and the empty line unless more headers follow. */
export function toHead(
  method: string,
  path: string,
  { headers = {}, end = true }: { headers?: Record<string, string>; end?: boolean } = {},
): string {
  const lines = Object.entries({ host: "x", ...headers }).map(([name, text]) => `${name}: ${text}`);
  return `${[`${method} ${path} HTTP/1.1`, ...lines].join("\r\n")}\r\n${end ? "\r\n" : ""}`;
}
