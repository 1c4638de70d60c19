import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * Ports that systems do not assign to outgoing connections: Linux assigns those from 32,768, others from
 * 49,152. A free one in this range is not taken by another process' connection before it is listened on.
 */
const LISTENED_PORTS = { from: 10_000, to: 32_768 } as const;
const MAX_TRIES = 100;

/** Whether this address can be listened on. */
export async function isPortFree(port: number, host = "127.0.0.1"): Promise<boolean> {
  return await new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/**
 * A port that is free now and will not be assigned to an outgoing connection.
 *
 * @throws when none of a hundred ports can be listened on: the host is not this machine's
 */
export async function findFreePort(host = "127.0.0.1"): Promise<number> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const port = randomInt(LISTENED_PORTS.from, LISTENED_PORTS.to);
    if (await isPortFree(port, host)) return port;
  }
  throw new Error(`No port of ${host} can be listened on`);
}
