import { pause } from "@truerun/shared/pause";
import {
  describeFault,
  type Fault,
  isLinkFault,
  isPartFault,
  type LinkFault,
  type OperatorFault,
  type PartFault,
} from "../plan/fault.ts";
import type { Cluster } from "../system/cluster.ts";
import type { FaultRecord, OperatorRecord } from "./fault-record.ts";
import { act, type OperatorOptions } from "./operator.ts";

export interface InjectionOptions {
  cluster: Cluster;
  operator: OperatorOptions;
  /** When the load began; faults count from it. */
  begin: number;
  say: (message: string) => void;
}

const GIVE_UP_AFTER_MS = 60_000;
const LOOK_EVERY_MS = 500;

/** Makes each fault happen at its time, several at once on different targets. Resolves when the last is over. */
export async function injectFaults(
  options: InjectionOptions,
  plan: readonly Fault[],
): Promise<FaultRecord[]> {
  const turns = new Map<Fault["target"], Promise<unknown>>();
  const records = plan.map(async (fault) => {
    await pause(Math.max(0, options.begin + fault.atMs - Date.now()));
    // A fault waits while another one still holds its part or link.
    const mine = (turns.get(fault.target) ?? Promise.resolve()).then(() => inject(options, fault));
    turns.set(fault.target, mine);
    return await mine;
  });
  return await Promise.all(records);
}

async function inject(options: InjectionOptions, fault: Fault): Promise<FaultRecord> {
  const { begin, say } = options;
  const from = Date.now();
  let acts: FaultRecord["acts"] = [];
  if (isPartFault(fault)) await damagePart(options.cluster, fault);
  else if (isLinkFault(fault)) await damageLink(options.cluster, fault);
  else acts = await actOnRun(options, fault);
  const to = Date.now();
  const last = acts.at(-1);
  const on = last === undefined ? "" : `: ${last.runId} ${last.outcome}`;
  say(`${((to - begin) / 1_000).toFixed(1)} s  ${describeFault(fault)}${on}, over`);
  return { fault, acts, from, to };
}

/** Runs end fast: an operator who finds none, is refused or gets no answer tries again for a while. */
async function actOnRun(
  { operator }: InjectionOptions,
  fault: OperatorFault,
): Promise<FaultRecord["acts"]> {
  const acts: OperatorRecord[] = [];
  const end = Date.now() + GIVE_UP_AFTER_MS;
  while (Date.now() < end) {
    const result = await act(operator, fault);
    if (result !== null) acts.push(result);
    if (result?.outcome === "done") break;
    await pause(LOOK_EVERY_MS);
  }
  return acts;
}

async function damagePart({ parts }: Cluster, fault: Fault & PartFault): Promise<void> {
  const part = parts[fault.target];
  switch (fault.kind) {
    case "kill -9":
      await part.kill();
      return;
    case "restart":
      await part.restart();
      return;
    case "pause":
      await part.pause(() => pause(fault.holdMs));
  }
}

async function damageLink({ links }: Cluster, fault: Fault & LinkFault): Promise<void> {
  const link = links[fault.target];
  switch (fault.kind) {
    case "cut":
      link.cut();
      break;
    case "freeze":
      link.freeze();
      break;
    case "slow":
      link.slow(fault.delayMs);
  }
  await pause(fault.holdMs);
  link.restore();
}
