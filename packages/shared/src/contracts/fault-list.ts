import type { Fault } from "./faults.ts";

const MAX_FAULTS = 1_000;
/** In UTF-16 code units, over all places and messages. */
const MAX_FAULT_TEXT = 262_144;

/**
 * Faults up to a number and a size that any honest request stays far below, and one more, so that whoever
 * answers knows that there are more. Places consist of the caller's own keys, which may be long and repeat with
 * each fault: a body of 100 kB could ask for an answer of gigabytes.
 */
export class FaultList {
  readonly #faults: Fault[] = [];
  #text = 0;
  #isOver = false;

  /** @param make - is not called once the list is full */
  add(make: () => Fault): void {
    if (this.#isOver) return;
    this.#isOver = this.#faults.length >= MAX_FAULTS || this.#text >= MAX_FAULT_TEXT;
    const fault = make();
    this.#faults.push(fault);
    this.#text += textOf(fault);
  }

  addAll(faults: Iterable<Fault>): void {
    for (const fault of faults) this.add(() => fault);
  }

  toFaults(): Fault[] {
    return this.#faults;
  }

  /** Those within the limits; in place of the one more, a fault that says that there are more. */
  toAnswer(): Fault[] {
    const last = this.#faults.at(-1);
    if (!this.#isOver || last === undefined) return this.#faults;
    const msg = "Value error, there are more faults than are listed";
    const more = { loc: last.loc.slice(0, 1), msg, type: "value_error" };
    return [...this.#faults.slice(0, -1), more];
  }
}

/** A list of these faults. */
export function toFaultList(faults: Iterable<Fault>): FaultList {
  const list = new FaultList();
  list.addAll(faults);
  return list;
}

/** Joins both lists, leaving out faults of the second at places that the first already names. */
export function mergeFaults(first: readonly Fault[], second: readonly Fault[]): Fault[] {
  const named = new Set(first.map(({ loc }) => JSON.stringify(loc)));
  return [...first, ...second.filter(({ loc }) => !named.has(JSON.stringify(loc)))];
}

function textOf({ loc, msg }: Fault): number {
  return loc.reduce<number>((sum, part) => sum + String(part).length, msg.length);
}
