export const PARTS = [
  "gateway-1",
  "gateway-2",
  "worker-1",
  "worker-2",
  "temporal",
  "postgres",
] as const;
/** What runs in processes of its own. */
export type PartName = (typeof PARTS)[number];

export const LINKS = [
  "client → gateway-1",
  "client → gateway-2",
  "gateway-1 → postgres",
  "gateway-2 → postgres",
  "gateway-1 → temporal",
  "gateway-2 → temporal",
  "worker-1 → postgres",
  "worker-2 → postgres",
  "worker-1 → temporal",
  "worker-2 → temporal",
] as const;
/** A TCP link that can be damaged. */
export type LinkName = (typeof LINKS)[number];

/** What an operator does, and how. */
export const OPERATOR_ACTS = ["cancel in Temporal", "cancel by API", "terminate", "reset"] as const;
export type OperatorAct = (typeof OPERATOR_ACTS)[number];

export const PART_FAULTS = ["kill -9", "restart", "pause"] as const;
export const LINK_FAULTS = ["cut", "freeze", "slow"] as const;

/** `restart` asks the part to end in order; `pause` stops all its processes for a while. */
export interface PartFault {
  kind: (typeof PART_FAULTS)[number];
  target: PartName;
}

export interface LinkFault {
  kind: (typeof LINK_FAULTS)[number];
  target: LinkName;
  /** How much later everything arrives, in both directions; only for `slow`. */
  delayMs: number;
}

export interface OperatorFault {
  kind: OperatorAct;
  /** Picks one of the runs that exist when its time comes: 0 the oldest, nearly 1 the newest. */
  target: number;
  /** Picks the point in the history that a reset goes back to. */
  point: number;
}

export type Fault = (PartFault | LinkFault | OperatorFault) & {
  /** From the start of the load. */
  atMs: number;
  /** How long it lasts; 0 for what is done at once. */
  holdMs: number;
};

export type FaultKind = Fault["kind"];

export const FAULT_KINDS: readonly FaultKind[] = [...PART_FAULTS, ...LINK_FAULTS, ...OPERATOR_ACTS];

export function isPartFault(fault: Fault): fault is Fault & PartFault {
  return PART_FAULTS.some((kind) => kind === fault.kind);
}

export function isLinkFault(fault: Fault): fault is Fault & LinkFault {
  return LINK_FAULTS.some((kind) => kind === fault.kind);
}

export function isOperatorFault(fault: Fault): fault is Fault & OperatorFault {
  return OPERATOR_ACTS.some((kind) => kind === fault.kind);
}

/** One line for people. */
export function describeFault(fault: Fault): string {
  const hold = fault.holdMs === 0 ? "" : ` for ${(fault.holdMs / 1_000).toFixed(1)} s`;
  if (isPartFault(fault)) return `${fault.kind} ${fault.target}${hold}`;
  if (isOperatorFault(fault)) return `${fault.kind} a run (${fault.target.toFixed(3)})`;
  const by = fault.kind === "slow" ? ` by ${fault.delayMs} ms` : "";
  return `${fault.kind} ${fault.target}${by}${hold}`;
}
