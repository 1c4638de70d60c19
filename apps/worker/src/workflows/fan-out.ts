// Runs a component with `for_each`: here while it is small, in batches when it is large.
import type { ComponentDefinition } from "@truerun/shared/contracts/definition";
import type { Json } from "@truerun/shared/contracts/json";
import type { StepState } from "@truerun/shared/engine/advance";
import { FAIL } from "@truerun/shared/engine/engine-actions";
import type { ItemSource } from "@truerun/shared/engine/prepare-component";
import { toItemKey } from "@truerun/shared/step-key";
import { utf8Bytes } from "@truerun/shared/storable-text";
import { CancellationScope } from "@temporalio/workflow";
import { endsFanOut, runItem, toItem } from "./fan-out-item.ts";
import { runInBatches } from "./run-in-batches.ts";
import { runLanes } from "./run-lanes.ts";
import type { StepContext } from "./step.ts";
import { engineOutcome, type OpenOutcome } from "./step-outcome.ts";

/** More items than this run in child workflows. */
const MAX_INLINE_ITEMS = 100;
/** Limit for all outputs of a fan-out together: they are the component's output. */
const MAX_COLLECTED_BYTES = 8 * 1024 * 1024;

/** What a fan-out knows of an item that ended. */
export type ItemResult = Pick<OpenOutcome, "status" | "message" | "output">;

/** A settled state, as the reducer takes it. */
type Settled = Exclude<StepState, { status: "running" | "skipped" }>;

/** Runs all items of a component and collects their outputs in the items' order. Never rejects. */
export async function runFanOut(
  component: ComponentDefinition,
  items: ItemSource,
  context: StepContext,
): Promise<Settled> {
  const collector = new ItemCollector(component, context);
  const run = items.count > MAX_INLINE_ITEMS ? runInBatches : runInline;
  await run({ component, items, collector, context });
  return collector.settle(items.count);
}

/** What both ways of running items work with. */
export interface FanOut {
  component: ComponentDefinition;
  items: ItemSource;
  collector: ItemCollector;
  context: StepContext;
}

async function runInline({ component, items, collector, context }: FanOut): Promise<void> {
  let next = 0;
  await runLanes({
    concurrency: component.max_concurrency ?? 1,
    take: () => (next < items.count ? next++ : undefined),
    async run(index) {
      if (collector.isHistoryFull()) return false;
      const key = toItemKey(component.key, index);
      const outcome = await runItem({ key, component }, toItem(items, index), context);
      return collector.add(index, outcome);
    },
  });
}

/** Gathers what became of the items, and notices what ends the fan-out. */
export class ItemCollector {
  readonly #component: ComponentDefinition;
  readonly #context: StepContext;
  readonly #outputs = new Map<number, Json>();
  #bytes = 0;
  #failure: string | null = null;

  constructor(component: ComponentDefinition, context: StepContext) {
    this.#component = component;
    this.#context = context;
  }

  /** @returns whether the fan-out goes on */
  add(index: number, { status, message, output }: ItemResult): boolean {
    if (status === "success") {
      this.#outputs.set(index, output);
      this.#bytes += utf8Bytes(JSON.stringify(output));
      if (this.#bytes > MAX_COLLECTED_BYTES) this.refuseOutput(this.#bytes, MAX_COLLECTED_BYTES);
    }
    if (status === "failed" && endsFanOut(this.#component)) {
      this.#fail(toItemKey(this.#component.key, index), message ?? "");
    }
    return this.#failure === null;
  }

  /** Notes that items are lost as a whole. @returns whether the fan-out goes on */
  lose(message: string): boolean {
    if (endsFanOut(this.#component)) this.#fail(null, message);
    return this.#failure === null;
  }

  /** Ends the fan-out because of its output's size. */
  refuseOutput(bytes: number, limit: number): void {
    this.#refuse(`The collected output of the items has ${bytes} bytes; ${limit} are the most.`);
  }

  /** Ends the fan-out when its run may start nothing more. @returns whether it does */
  isHistoryFull(): boolean {
    const full = this.#context.budget.explainFullHistory();
    if (full !== null) this.#refuse(full);
    return full !== null;
  }

  /** Ends the fan-out whatever its `on_failure`, with a step of the component's own that says why. */
  #refuse(message: string): void {
    if (this.#failure !== null) return;
    this.#context.recorder.close(this.#component.key, engineOutcome("failed", message));
    this.#fail(null, message);
  }

  settle(count: number): Settled {
    if (this.#failure !== null) return { status: "failed", message: this.#failure };
    const output = Array.from({ length: count }, (_, index) => this.#outputs.get(index) ?? null);
    return { status: "success", output };
  }

  #fail(itemKey: string | null, message: string): void {
    if (this.#failure !== null) return;
    const { action, key } = this.#component;
    const isMessageEnough = itemKey === null || action === FAIL;
    this.#failure = isMessageEnough ? message : `${itemKey}: ${message}`;
    // Items of a canceled run fail as well, but not because of each other.
    if (CancellationScope.current().consideredCancelled) return;
    const because = itemKey === null ? message : `${itemKey} failed.`;
    this.#context.recorder.setCancelReason(key, `Canceled because ${because}`);
  }
}
