import type { Fault } from "./faults.ts";

const MAX_FAULTS = 1_000;
/** In UTF-16 code units, over all places and messages. */
const MAX_FAULT_TEXT = 262_144;

/**
 * Faults up to a number and a size that any honest request stays far below. Places consist of the caller's own
 * keys, which may be long and repeat with each fault: a body of 100 kB could ask for an answer of gigabytes.
 */
export class FaultList {
  readonly #faults: Fault[] = [];
  #text = 0;
  #isCut = false;

  /** @param make - is not called once the list is full */
  add(make: () => Fault): void {
    if (this.#faults.length >= MAX_FAULTS || this.#text >= MAX_FAULT_TEXT) {
      this.#isCut = true;
      return;
    }
    const fault = make();
    this.#faults.push(fault);
    this.#text += textOf(fault);
  }

  addAll(faults: Iterable<Fault>): void {
    for (const fault of faults) this.add(() => fault);
  }

  /** @param loc - where the last fault is, which says that there are more, if there are */
  toFaults(loc: Fault["loc"]): Fault[] {
    if (!this.#isCut) return this.#faults;
    const msg = "Value error, there are more faults than are listed";
    return [...this.#faults, { loc, msg, type: "value_error" }];
  }
}

/** The faults up to the limits of {@link FaultList}. */
export function limitFaults(faults: readonly Fault[], loc: Fault["loc"] = []): Fault[] {
  const list = new FaultList();
  list.addAll(faults);
  return list.toFaults(loc);
}

function textOf({ loc, msg }: Fault): number {
  return loc.reduce<number>((sum, part) => sum + String(part).length, msg.length);
}
