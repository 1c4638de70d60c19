import { FaultList } from "@truerun/shared/contracts/fault-list";
import type { Fault } from "@truerun/shared/contracts/faults";
import { MAX_NESTING } from "@truerun/shared/contracts/json";
import { toNumberFault } from "./json-number.ts";

/** Where numbers must be exact: in the whole text, or only in the top-level member of that name. */
export type KeptPart = { all: true } | { member: string };

/** Whether a text is JSON; `position` says where it is not, in UTF-16 code units. */
export type JsonScan =
  | { valid: false; position: number; reason: string }
  | {
      valid: true;
      /** The raw text of the last top-level member of the kept name, or null. */
      member: string | null;
      /** What cannot be kept exactly, each `loc` relative to the whole text. */
      faults: Fault[];
      /** Whether it nests deeper than the limit, which `faults` then includes. */
      tooDeep: boolean;
    };

const SCALAR_LITERALS = ["true", "false", "null"];
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const HEX4 = /[0-9a-fA-F]{4}/y;

/**
 * Scans a JSON text once, left to right, without recursion. `JSON.parse` is not enough: a member's raw text
 * is needed to echo it as sent, and numbers that a double cannot hold would silently change.
 */
export function scanJson(text: string, kept: KeptPart): JsonScan {
  return new Scanner(text, kept).scan();
}

interface Frame {
  closer: "}" | "]";
  /** The key (raw, with its quotes) or the index of the value being read. */
  place: string | number;
}

/** Thrown inside this file only. */
class Invalid extends Error {
  readonly position: number;

  constructor(position: number, reason: string) {
    super(reason);
    this.position = position;
  }
}

class Scanner {
  readonly #text: string;
  readonly #kept: KeptPart;
  readonly #frames: Frame[] = [];
  #at = 0;
  /** Whether what is read belongs to the kept top-level member. Keys may be long: judged once for each. */
  #isInKept = false;
  #member: { start: number; end: number } | null = null;
  #memberFaults = new FaultList();
  readonly #numberFaults = new FaultList();
  #nestingFault: Fault | null = null;

  constructor(text: string, kept: KeptPart) {
    this.#text = text;
    this.#kept = kept;
  }

  scan(): JsonScan {
    try {
      this.#document();
    } catch (error) {
      if (!(error instanceof Invalid)) throw error;
      return { valid: false, position: error.position, reason: error.message };
    }
    const member = this.#member && this.#text.slice(this.#member.start, this.#member.end);
    const nesting = this.#nestingFault === null ? [] : [this.#nestingFault];
    return {
      valid: true,
      tooDeep: this.#nestingFault !== null,
      member,
      faults: [...nesting, ...this.#numberFaults.toFaults(), ...this.#memberFaults.toFaults()],
    };
  }

  #document(): void {
    this.#space();
    let opened = this.#value();
    while (this.#frames.length > 0) {
      if (!opened) this.#endOfValue();
      opened = this.#frames.length > 0 && this.#next(opened);
    }
    this.#space();
    if (this.#at < this.#text.length) this.#fail("Extra data");
  }

  /** Reads a scalar, or the opening of a container: returns true for the latter. */
  #value(): boolean {
    const char = this.#text[this.#at];
    if (char === "{" || char === "[") {
      this.#open(char);
      return true;
    }
    if (char === '"') this.#string();
    else if (char === "-" || isDigit(char)) this.#number();
    else this.#literal();
    return false;
  }

  #open(char: "{" | "["): void {
    this.#at += 1;
    if (this.#frames.length >= MAX_NESTING && this.#nestingFault === null) {
      const msg = `JSON is nested deeper than ${MAX_NESTING} levels`;
      this.#nestingFault = { loc: this.#loc(), msg, type: "json_invalid" };
    }
    this.#frames.push(char === "{" ? { closer: "}", place: "" } : { closer: "]", place: -1 });
  }

  /** Reads up to and including the next value of the innermost container, or the container's end. */
  #next(first: boolean): boolean {
    const frame = this.#frames[this.#frames.length - 1];
    if (frame === undefined) return false;
    this.#space();
    if (this.#text[this.#at] === frame.closer) {
      this.#at += 1;
      this.#frames.pop();
      return false;
    }
    if (!first) {
      if (this.#text[this.#at] !== ",") this.#fail(`Expecting ',' or '${frame.closer}'`);
      this.#at += 1;
      this.#space();
    }
    if (typeof frame.place === "number") frame.place += 1;
    else frame.place = this.#key();
    if (this.#frames.length === 1) this.#isInKept = this.#isKeptPlace(frame);
    this.#startOfValue();
    return this.#value();
  }

  #key(): string {
    const start = this.#at;
    if (this.#text[start] !== '"') this.#fail("Expecting property name enclosed in double quotes");
    this.#string();
    const raw = this.#text.slice(start, this.#at);
    this.#space();
    if (this.#text[this.#at] !== ":") this.#fail("Expecting ':' delimiter");
    this.#at += 1;
    this.#space();
    return raw;
  }

  #startOfValue(): void {
    if (!this.#isKeptMember()) return;
    // A later member of the same name replaces the earlier one, including its faults.
    this.#member = { start: this.#at, end: this.#at };
    this.#memberFaults = new FaultList();
  }

  #endOfValue(): void {
    if (this.#member !== null && this.#isKeptMember()) this.#member.end = this.#at;
  }

  /** Whether the value being read is the kept top-level member itself. */
  #isKeptMember(): boolean {
    return this.#isInKept && this.#frames.length === 1;
  }

  #isKeptPlace({ place }: Frame): boolean {
    if (!("member" in this.#kept) || typeof place !== "string") return false;
    return toKey(place) === this.#kept.member;
  }

  #string(): void {
    const text = this.#text;
    const opened = this.#at;
    for (let at = opened + 1; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (code === 0x22) {
        this.#at = at + 1;
        return;
      }
      if (code < 0x20) throw new Invalid(at, "Invalid control character");
      if (code === 0x5c) at += this.#escapeLength(at + 1);
    }
    throw new Invalid(opened, "Unterminated string");
  }

  #escapeLength(at: number): number {
    const char = this.#text[at];
    if (char === "u") {
      HEX4.lastIndex = at + 1;
      if (!HEX4.test(this.#text)) throw new Invalid(at, "Invalid \\uXXXX escape");
      return 5;
    }
    if (char === undefined || !'"\\/bfnrt'.includes(char))
      throw new Invalid(at - 1, "Invalid escape");
    return 1;
  }

  #number(): void {
    NUMBER.lastIndex = this.#at;
    const found = NUMBER.exec(this.#text);
    if (found === null) this.#fail("Expecting value");
    else {
      const [token] = found;
      const fault = toNumberFault(token);
      if (fault !== null) this.#noteNumber(fault);
      this.#at += token.length;
    }
  }

  #noteNumber(fault: Omit<Fault, "loc">): void {
    const locate = (): Fault => ({ loc: this.#loc(), ...fault });
    if ("all" in this.#kept) this.#numberFaults.add(locate);
    else if (this.#isInKept) this.#memberFaults.add(locate);
  }

  #literal(): void {
    const literal = SCALAR_LITERALS.find((word) => this.#text.startsWith(word, this.#at));
    if (literal === undefined) this.#fail("Expecting value");
    else this.#at += literal.length;
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at += 1;
    }
  }

  #loc(): (string | number)[] {
    return this.#frames.map(({ place }) => (typeof place === "number" ? place : toKey(place)));
  }

  #fail(reason: string): never {
    throw new Invalid(this.#at, reason);
  }
}

function isDigit(char: string | undefined): boolean {
  return char !== undefined && char >= "0" && char <= "9";
}

/** A key's text from its raw form. */
function toKey(raw: string): string {
  return raw.includes("\\") ? String(JSON.parse(raw)) : raw.slice(1, -1);
}
