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
 * shared (carrier-grade NAT), multicast and reserved addresses do not, nor do the IPv6 forms that lead
 * to an IPv4 address through a gateway (NAT64, 6to4, Teredo), which may reach what must not be reached.
 */
export function isPublicAddress(text: string): boolean {
  const address = toAddress(text);
  if (address === null || address.range() !== "unicast") return false;
  return address.kind() === "ipv4" || isGlobalUnicast(address.toByteArray());
}

/** 2000::/3 is all of IPv6 that IANA hands out; ipaddr.js calls the rest of it unicast, too. */
function isGlobalUnicast([first = 0]: number[]): boolean {
  return first >> 5 === 0b001;
}
