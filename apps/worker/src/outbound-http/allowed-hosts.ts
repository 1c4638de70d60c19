import ipaddr from "ipaddr.js";
import { toAddress } from "./address.ts";

/** A private host that may be reached although its address is not public. */
export type AllowedHost =
  | { kind: "name"; host: string; port: number | null }
  | { kind: "range"; range: [ipaddr.IPv4 | ipaddr.IPv6, number]; port: number | null };

const NAME = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/;

/** Reads `host`, `host:port`, `[v6]:port`, an address or a CIDR range, separated by commas. */
export function parseAllowedHosts(text: string): { allowed: AllowedHost[]; faults: string[] } {
  const allowed: AllowedHost[] = [];
  const faults: string[] = [];
  for (const entry of text.split(",").map((part) => part.trim().toLowerCase())) {
    if (entry === "") continue;
    const host = parseEntry(entry);
    if (host === null)
      faults.push(`${JSON.stringify(entry)} is not a host, host:port or CIDR range`);
    else allowed.push(host);
  }
  return { allowed, faults };
}

function parseEntry(entry: string): AllowedHost | null {
  if (ipaddr.isValidCIDR(entry)) {
    return { kind: "range", range: ipaddr.parseCIDR(entry), port: null };
  }
  if (ipaddr.IPv6.isValid(entry)) return toSingle(entry, null);
  const split = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(entry);
  if (split === null) return null;
  const host = split[1] ?? split[2] ?? "";
  const port = split[3] === undefined ? null : Number(split[3]);
  if (port !== null && (port < 1 || port > 65_535)) return null;
  if (split[1] !== undefined) return ipaddr.IPv6.isValid(host) ? toSingle(host, port) : null;
  if (ipaddr.IPv4.isValidFourPartDecimal(host)) return toSingle(host, port);
  // Digits and dots that are no four-part address would be read as one by resolvers (127.1).
  if (/^[\d.]+$/.test(host)) return null;
  return NAME.test(host) ? { kind: "name", host, port } : null;
}

function toSingle(text: string, port: number | null): AllowedHost {
  const address = ipaddr.process(text);
  return { kind: "range", range: [address, address.kind() === "ipv4" ? 32 : 128], port };
}

/**
 * Whether the allow-list lets this connection through. A name allows whatever it resolves to; a range
 * allows its addresses by whatever name they were reached.
 */
export function isAllowedPrivate(
  allowed: readonly AllowedHost[],
  target: { host: string; port: number; address: string },
): boolean {
  const address = toAddress(target.address);
  const host = target.host.toLowerCase().replace(/\.$/, "");
  return allowed.some((entry) => {
    if (entry.port !== null && entry.port !== target.port) return false;
    if (entry.kind === "name") return entry.host === host;
    const [network, bits] = entry.range;
    if (address === null || address.kind() !== network.kind()) return false;
    return address.match([network, bits] as [ipaddr.IPv4, number] & [ipaddr.IPv6, number]);
  });
}
