import { describe, expect, it } from "vitest";
import { isAllowedPrivate, parseAllowedHosts } from "./allowed-hosts.ts";

describe("the allow-list", () => {
  it.each([
    ["127.0.0.1", "x", 80, "127.0.0.1", true],
    ["127.0.0.1", "x", 80, "127.0.0.2", false],
    ["127.0.0.1:8080", "x", 8080, "127.0.0.1", true],
    ["127.0.0.1:8080", "x", 80, "127.0.0.1", false],
    ["127.0.0.1", "x", 80, "::ffff:127.0.0.1", true],
    ["10.0.0.0/8, 192.168.0.0/16", "x", 80, "192.168.3.4", true],
    ["10.0.0.0/8", "x", 80, "192.168.3.4", false],
    ["fd00::/8", "x", 80, "fd12::1", true],
    ["::1", "x", 80, "::1", true],
    ["[::1]:9000", "x", 9000, "::1", true],
    ["[::1]:9000", "x", 80, "::1", false],
    ["CRM.internal", "crm.internal.", 443, "10.1.2.3", true],
    ["crm.internal:443", "crm.internal", 80, "10.1.2.3", false],
    ["crm.internal", "evil.crm.internal", 80, "10.1.2.3", false],
    ["", "x", 80, "127.0.0.1", false],
  ])("%j: %s:%i at %s is %s", (list, host, port, address, expected) => {
    const { allowed, faults } = parseAllowedHosts(list);
    expect(faults).toEqual([]);
    expect(isAllowedPrivate(allowed, { host, port, address })).toBe(expected);
  });

  it.each([
    "127.1",
    "http://x",
    "x:99999",
    "x:0",
    "10.0.0.0/33",
    "a b",
    "*.internal",
    "[x]:1",
    "x:",
  ])("refuses %j", (entry) => {
    expect(parseAllowedHosts(`localhost,${entry}`).faults).toEqual([
      expect.stringContaining(JSON.stringify(entry)),
    ]);
  });
});
