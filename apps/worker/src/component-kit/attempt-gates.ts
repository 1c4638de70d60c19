/** A point in an attempt that a worker of the kit passes only when told to. */
export interface Gate {
  idempotencyKey: string;
  /** 1 for the first. */
  attempt: number;
  /** Before the component's `run` is called, or after it has succeeded or failed. */
  point: "start" | "end";
}

/** Knows how far each attempt has come, in any process, and stops those that a scenario wants stopped. */
export interface AttemptGates {
  /** Shuts a gate that no attempt has reached. */
  shut(gate: Gate): void;
  hasReached(gate: Gate): boolean;
  open(gate: Gate): void;
  /** An attempt has reached the gate; `letThrough` is called when it may go on. */
  reach(gate: Gate, letThrough: () => void): void;
}

export function createAttemptGates(): AttemptGates {
  const isShut = new Set<string>();
  const reached = new Map<string, () => void>();
  return {
    shut: (gate) => void isShut.add(nameOf(gate)),
    hasReached: (gate) => reached.has(nameOf(gate)),
    open(gate) {
      isShut.delete(nameOf(gate));
      reached.get(nameOf(gate))?.();
    },
    reach(gate, letThrough) {
      reached.set(nameOf(gate), letThrough);
      if (!isShut.has(nameOf(gate))) letThrough();
    },
  };
}

function nameOf({ idempotencyKey, attempt, point }: Gate): string {
  return `${idempotencyKey} ${attempt} ${point}`;
}
