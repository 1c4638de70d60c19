import { CancellationScope, isCancellation } from "@temporalio/workflow";

/** Work that is begun in order, several pieces at a time. */
export interface Lanes<T> {
  /** How many pieces at once. */
  concurrency: number;
  /** Gives the next piece of work; undefined when there is none left. */
  take: () => T | undefined;
  /**
   * Does a piece of work; false ends it all: nothing more is taken, and what is under way is canceled. Rejects
   * only when it is canceled before it began.
   */
  run: (work: T) => Promise<boolean>;
}

/** Does all the work; when the surrounding scope is canceled, nothing more is taken. */
export async function runLanes<T>({ concurrency, take, run }: Lanes<T>): Promise<void> {
  const scope = new CancellationScope();
  const lane = async (): Promise<void> => {
    while (!scope.consideredCancelled) {
      const work = take();
      if (work === undefined) return;
      const goesOn = await run(work).catch(ignoreCancellation);
      if (goesOn === false) scope.cancel();
    }
  };
  const lanes = Array.from({ length: concurrency }, () => lane);
  await scope.run(() => Promise.all(lanes.map((each) => each())));
}

function ignoreCancellation(error: unknown): undefined {
  if (!isCancellation(error)) throw error;
}
