// For tests only: a connection that sends what the test says, when it says so.
import { once } from "node:events";
import net from "node:net";
import { waitFor } from "@truerun/dev/testing/wait-for";

export interface RawConnection {
  write(text: string): void;
  /** Everything that has come so far. */
  received(): string;
  /** Waits until something has come that holds `text`. */
  receive(text: string): Promise<string>;
  /** Whether the other side has ended it. */
  isClosed(): boolean;
  close(): void;
}

export async function connectRaw(port: number): Promise<RawConnection> {
  const socket = net.connect(port, "127.0.0.1");
  let received = "";
  let isClosed = false;
  socket.on("data", (chunk) => {
    received += chunk.toString("latin1");
  });
  socket.on("close", () => {
    isClosed = true;
  });
  // A connection that is cut while it is written to: what the test is about.
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

/** The beginning of a request: its line, its headers, and the empty line unless they go on. */
export function toHead(
  method: string,
  path: string,
  { headers = {}, end = true }: { headers?: Record<string, string>; end?: boolean } = {},
): string {
  const lines = Object.entries({ host: "x", ...headers }).map(([name, text]) => `${name}: ${text}`);
  return `${[`${method} ${path} HTTP/1.1`, ...lines].join("\r\n")}\r\n${end ? "\r\n" : ""}`;
}
