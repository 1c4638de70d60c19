import ipaddr from "ipaddr.js";

/** Parses a numeric address (a zone index is dropped); IPv4-mapped IPv6 comes back as IPv4. Null if it is none. */
export function toAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  const bare = text.replace(/^\[(.*)\]$/, "$1").replace(/%.*$/, "");
  if (ipaddr.IPv4.isValidFourPartDecimal(bare)) return ipaddr.IPv4.parse(bare);
  if (!ipaddr.IPv6.isValid(bare)) return null;
  const address = ipaddr.IPv6.parse(bare);
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

/**
 * Whether an address is on the public internet. Only `unicast` counts: loopback, private, link-local,
 * shared (carrier-grade NAT), multicast, reserved, and the IPv6 forms that tunnel to an IPv4 address
 * (NAT64, 6to4, Teredo) do not, as their gateway would reach what must not be reached.
 */
export function isPublicAddress(text: string): boolean {
  const address = toAddress(text);
  if (address === null || address.range() !== "unicast") return false;
  return address.kind() === "ipv4" || !isIpv4Compatible(address);
}

/** `::a.b.c.d`, deprecated and unicast to ipaddr.js, but some stacks still route it to the IPv4 address. */
function isIpv4Compatible(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return address
    .toByteArray()
    .slice(0, 12)
    .every((byte) => byte === 0);
}
