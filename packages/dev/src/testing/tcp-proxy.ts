import { connect, createServer, type Socket } from "node:net";

/** A link between a client and a server that a test can damage. */
export interface TcpProxy {
  port: number;
  /** Ends all connections and refuses new ones. */
  cut(): void;
  /** Keeps connections open and lets nothing through. */
  freeze(): void;
  /** Delays everything by this long, in both directions. */
  slow(ms: number): void;
  /** Back to normal; what was held back goes through. */
  restore(): void;
  /** Where new connections go from now on. */
  retarget(port: number): void;
  close(): Promise<void>;
}

interface Link {
  sockets: [Socket, Socket];
  /** One for each direction. */
  ways: [Way, Way];
}

/** What waits in one direction. Whatever happens to a link, TCP keeps the order. */
type Way = { dueAt: number; send: () => void }[];

/** Listens on a free port of the loopback address and passes everything on to `targetPort`. */
export async function createTcpProxy(target: { targetPort: number }): Promise<TcpProxy> {
  let { targetPort } = target;
  const links = new Set<Link>();
  let mode: "through" | "cut" | "frozen" = "through";
  let delayMs = 0;

  const server = createServer({ pauseOnConnect: false }, (incoming) => {
    if (mode === "cut") {
      incoming.resetAndDestroy();
      return;
    }
    const outgoing = connect({ port: targetPort, host: "127.0.0.1" });
    const link: Link = { sockets: [incoming, outgoing], ways: [[], []] };
    links.add(link);
    for (const [from, to, way] of [
      [incoming, outgoing, link.ways[0]],
      [outgoing, incoming, link.ways[1]],
    ] as const) {
      from.setNoDelay(true);
      from.on("data", (chunk) => pass(way, () => void to.write(chunk)));
      from.on("end", () => pass(way, () => void to.end()));
      // If one half breaks, so does the other; the test caused it.
      from.on("error", () => drop(link));
      from.on("close", () => pass(way, () => drop(link)));
    }
  });

  function pass(way: Way, send: () => void): void {
    way.push({ dueAt: performance.now() + delayMs, send });
    if (delayMs > 0) setTimeout(() => release(way), delayMs);
    else release(way);
  }
  function release(way: Way): void {
    if (mode === "frozen") return;
    // A timer may fire a little early.
    const now = performance.now() + 1;
    while (way[0] !== undefined && way[0].dueAt <= now) way.shift()?.send();
  }
  function releaseAll(): void {
    for (const { ways } of links) for (const way of ways) release(way);
  }
  function drop(link: Link): void {
    links.delete(link);
    for (const socket of link.sockets) socket.destroy();
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The proxy has no port");
  return {
    port: address.port,
    cut() {
      mode = "cut";
      for (const link of links) drop(link);
    },
    freeze() {
      mode = "frozen";
    },
    slow(ms) {
      mode = "through";
      delayMs = ms;
      releaseAll();
    },
    restore() {
      mode = "through";
      delayMs = 0;
      for (const { ways } of links) for (const each of ways.flat()) each.dueAt = 0;
      releaseAll();
    },
    retarget(port) {
      targetPort = port;
    },
    async close() {
      for (const link of links) drop(link);
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
