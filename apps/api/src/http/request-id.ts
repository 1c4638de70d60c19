import { randomUUID } from "node:crypto";

const VISIBLE_ASCII = /^[\x21-\x7e]{1,128}$/;

/** The caller's own request id when it can be kept, else a new one. */
export function toRequestId(header: string | string[] | undefined): string {
  return typeof header === "string" && VISIBLE_ASCII.test(header) ? header : randomUUID();
}
