import type { Fault } from "@truerun/shared/contracts/faults";
import type { Json } from "@truerun/shared/contracts/json";
import { type KeptPart, scanJson } from "./json-text.ts";

/** A body's bytes, decompressed, or why those that were sent cannot be read. */
export type Body = { bytes: Uint8Array<ArrayBuffer> } | { fault: Fault };

export const NO_BODY = { bytes: new Uint8Array(0) } as const satisfies Body;

/** A request body as text and as value. */
export interface JsonBody {
  /** What was sent, or `undefined` for a body that is absent or empty. */
  value: Json | undefined;
  /** Raw text of the kept top-level member, as it was sent; null when there is none. */
  memberText: string | null;
  /** Numbers that cannot be kept exactly; if any, the value only serves to find further faults. */
  faults: Fault[];
}

// Keeps a byte order mark, which is then invalid JSON.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads a body that must be JSON and keeps its exact text.
 *
 * @returns only faults, no value, when it is not JSON or nests too deeply
 */
export function parseJsonBody(body: Body, kept: KeptPart): JsonBody | { faults: Fault[] } {
  if ("fault" in body) return { faults: [body.fault] };
  const { bytes } = body;
  if (bytes.byteLength === 0) return { value: undefined, memberText: null, faults: [] };
  const text = decode(bytes);
  if (text === null) return { faults: [toDecodeFault(0, "the body is not UTF-8")] };
  const scan = scanJson(text, kept);
  if (!scan.valid) return { faults: [toDecodeFault(scan.position, scan.reason)] };
  const faults = scan.faults.map((fault) => ({ ...fault, loc: ["body", ...fault.loc] }));
  if (scan.tooDeep) return { faults };
  return { value: JSON.parse(text) as Json, memberText: scan.member, faults };
}

/** The fault of a body that is not JSON; `position` counts UTF-16 code units, as editors and parsers do. */
export function toDecodeFault(position: number, reason: string): Fault {
  return { loc: ["body", position], msg: `JSON decode error: ${reason}`, type: "json_invalid" };
}

function decode(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}
