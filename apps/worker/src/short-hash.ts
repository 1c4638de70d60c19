import { createHash } from "node:crypto";

/**
 * What ids and names are made of that must be equal across attempts. Of releases too: with another hash, an attempt
 * that follows one of the release before does again what that one did.
 *
 * @param text - the idempotency key, and what tells this id from others made of it: the component's action
 */
export function shortHash(text: string, hexDigits: number): string {
  return createHash("sha256").update(text, "utf8").digest("hex").slice(0, hexDigits);
}
