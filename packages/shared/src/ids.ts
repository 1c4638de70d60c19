import { v7 as uuidV7 } from "uuid";

/** What an id names: the text before its underscore. */
export type IdPrefix = "cbwr" | "cbwd" | "cbwc" | "cborg" | "cbak";

/**
 * A new id: `<prefix>_<32 lowercase hex>`. The hex is a UUIDv7, so that rows made later sort later and
 * indexes grow at one end.
 */
export function newId(prefix: IdPrefix): string {
  return `${prefix}_${uuidV7().replaceAll("-", "")}`;
}

/** Whether `text` has the form of an id with this prefix. No other text needs to be looked up. */
export function isId(prefix: IdPrefix | "cbwrs", text: string): boolean {
  return text.startsWith(`${prefix}_`) && /^[0-9a-f]{32}$/.test(text.slice(prefix.length + 1));
}
