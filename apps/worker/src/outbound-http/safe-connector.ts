import { lookup } from "node:dns/promises";
import { isIP, type Socket } from "node:net";
import { buildConnector } from "undici";
import { type AllowedHost, isAllowedPrivate } from "./allowed-hosts.ts";
import { isPublicAddress } from "./address.ts";

/** The address of a request is not public and not allowed. Another attempt would be refused, too. */
export class BlockedAddressError extends Error {
  override name = "BlockedAddressError";
}

const CONNECT_TIMEOUT_MS = 10_000;

/** Gives every address of a name, as the system resolves it. */
export type Lookup = (name: string) => Promise<readonly { address: string }[]>;

const systemLookup: Lookup = (name) => lookup(name, { all: true });

interface Target {
  /** The name or literal of the URL, without brackets and trailing dot. */
  host: string;
  port: number;
}

/**
 * A connector for undici that reaches public addresses and allow-listed hosts only. It resolves a name
 * once, refuses it when any answer is not public, connects to a checked address (so that a second DNS
 * answer cannot differ), and checks the peer that it got.
 */
export function createSafeConnector(
  allowed: readonly AllowedHost[],
  lookupAll: Lookup = systemLookup,
): buildConnector.connector {
  const connect = buildConnector({ timeout: CONNECT_TIMEOUT_MS });
  const isReachable = (target: Target, address: string): boolean =>
    isPublicAddress(address) || isAllowedPrivate(allowed, { ...target, address });

  async function open(options: buildConnector.Options): Promise<Socket> {
    const target = toTarget(options);
    const addresses = await resolve(target.host, { allowed, lookupAll });
    for (const address of addresses) {
      if (!isReachable(target, address)) throw blocked(target, address);
    }
    const socket = await connectToFirst(connect, { options, target, addresses });
    const peer = socket.remoteAddress;
    if (peer === undefined || !isReachable(target, peer)) {
      socket.destroy();
      throw blocked(target, peer ?? "an unknown peer");
    }
    return socket;
  }

  return (options, callback) => {
    open(options).then(
      (socket) => callback(null, socket),
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null),
    );
  };
}

function toTarget({ hostname, port, protocol }: buildConnector.Options): Target {
  const standard = protocol === "https:" ? 443 : 80;
  return {
    host: hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, ""),
    port: port === "" ? standard : Number(port),
  };
}

async function resolve(
  host: string,
  { allowed, lookupAll }: { allowed: readonly AllowedHost[]; lookupAll: Lookup },
): Promise<string[]> {
  if (isIP(host) !== 0) return [host];
  const isNamed = allowed.some((entry) => entry.kind === "name" && entry.host === host);
  // By RFC 6761 these are loopback, whatever a resolver says.
  if (!isNamed && /(^|\.)localhost$/.test(host)) return ["127.0.0.1"];
  const answers = await lookupAll(host);
  if (answers.length === 0) throw new Error(`${host} has no address`);
  return answers.map((answer) => answer.address);
}

async function connectToFirst(
  connect: buildConnector.connector,
  to: { options: buildConnector.Options; target: Target; addresses: readonly string[] },
): Promise<Socket> {
  const servername = isIP(to.target.host) === 0 ? { servername: to.target.host } : {};
  const failures: Error[] = [];
  for (const address of to.addresses) {
    try {
      return await new Promise<Socket>((done, fail) => {
        connect({ ...to.options, ...servername, hostname: address }, (error, socket) =>
          error === null ? done(socket) : fail(error),
        );
      });
    } catch (error) {
      failures.push(error instanceof Error ? error : new Error(String(error)));
    }
  }
  const [only] = failures;
  if (failures.length === 1 && only !== undefined) throw only;
  throw new AggregateError(failures, failures.map((failure) => failure.message).join("; "));
}

function blocked({ host }: Target, address: string): BlockedAddressError {
  const what = host === address ? host : `${host} (${address})`;
  return new BlockedAddressError(
    `${what} is not a public address. Private hosts must be listed in HTTP_ALLOWED_PRIVATE_HOSTS.`,
  );
}
