import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

/** Hex digits of the run's id that a step's id begins with: the time part of a UUIDv7. */
const TIME_DIGITS = 12;

/**
 * The id of a step: derived from its run and its place, so that every writer (live, replaying after a
 * crash, repairing) makes the same. It begins with the run's time, so that the index grows at one end.
 *
 * @param workflowRunId - `cbwr_<32 hex>`
 * @param stepKey - the component's key; for an item, followed by e.g. `[3]`
 */
export function stepId(workflowRunId: string, stepKey: string): string {
  const time = workflowRunId.slice("cbwr_".length, "cbwr_".length + TIME_DIGITS);
  return `cbwrs_${time}${shortHash(`${workflowRunId} ${stepKey}`, 32 - TIME_DIGITS)}`;
}

/**
 * The id of a child run: in the usual form, with the random part replaced by a hash of `seed`.
 *
 * @param timeMs - what the id begins with, so that the index grows at one end
 */
export function childRunId(timeMs: number, seed: string): string {
  const time = timeMs.toString(16).padStart(TIME_DIGITS, "0");
  const hash = shortHash(seed, 18);
  return `cbwr_${time}7${hash.slice(0, 3)}8${hash.slice(3)}`;
}

/** A 32-bit hash of `text`. Two million of them add up exactly in a double. */
export function digestNumber(text: string): number {
  return Number.parseInt(shortHash(text, 8), 16);
}

function shortHash(text: string, hexDigits: number): string {
  return bytesToHex(sha256(utf8ToBytes(text))).slice(0, hexDigits);
}
