import type { Fault } from "@truerun/shared/contracts/faults";

const INTEGER = /^-?\d+$/;

/** Why a number (as written in a JSON text) cannot be kept exactly, in Pydantic's words, or null. */
export function toNumberFault(token: string): Omit<Fault, "loc"> | null {
  const value = Number(token);
  if (INTEGER.test(token)) {
    if (Number.isSafeInteger(value)) return null;
    const msg = "Unable to parse input string as an integer, exceeded maximum size";
    return { msg, type: "int_parsing_size" };
  }
  return Number.isFinite(value)
    ? null
    : { msg: "Input should be a finite number", type: "finite_number" };
}
