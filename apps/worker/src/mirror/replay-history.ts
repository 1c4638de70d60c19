// Runs histories through the interpreter again, to see what it handed to the mirror.
import type { DataConverter } from "@temporalio/common";
import type { WorkflowInfo } from "@temporalio/workflow";
import type { History } from "@truerun/shared/describe-execution";
import { InterpreterWorker } from "../interpreter-worker.ts";
import type { MirrorRecord, StepRow } from "./mirror-record.ts";

/** Today's interpreter, run over histories. Replays asked for at the same time take turns. */
export interface Replayer {
  /**
   * Replays a history through the interpreter and its interceptor.
   *
   * @returns what was handed to the mirror, in order. A replay also runs the task that was under way when a
   *   run was terminated; what that would have recorded did not happen, and is left out.
   * @throws when the history cannot be replayed by this code
   */
  replay(history: History, workflowId: string): Promise<MirrorRecord[]>;
  /** Finishes the replays asked for. */
  close(): Promise<void>;
}

interface Job {
  history: History;
  workflowId: string;
  resolve: (records: MirrorRecord[]) => void;
  reject: (error: unknown) => void;
}

/**
 * Replays one history after another in one Temporal Worker, which is made with the first history: a Worker for each
 * cost nine times as much as the replay itself.
 *
 * @param options - `bundlePath`: the workflow bundle that the workers run; `dataConverter`: what reads
 *   payloads as Temporal keeps them; default: plain JSON
 */
export function createReplayer(options: {
  bundlePath: string;
  dataConverter?: DataConverter;
}): Replayer {
  return new WarmReplayer(options);
}

class WarmReplayer implements Replayer {
  readonly #bundlePath: string;
  readonly #dataConverter: DataConverter;
  readonly #jobs: Job[] = [];
  #current: Job | undefined;
  #records: MirrorRecord[] = [];
  /** The history lengths at which the completed workflow tasks of the current history began. */
  #tasks: ReadonlySet<number> = new Set();
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor({ bundlePath, dataConverter = {} }: Parameters<typeof createReplayer>[0]) {
    this.#bundlePath = bundlePath;
    this.#dataConverter = dataConverter;
  }

  async replay(history: History, workflowId: string): Promise<MirrorRecord[]> {
    if (this.#isClosed) throw new Error("The replayer is closed");
    return await new Promise((resolve, reject) => {
      this.#jobs.push({ history, workflowId, resolve, reject });
      this.#wake?.();
      this.#running ??= this.#run();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#jobs.length > 0) {
      try {
        for await (const { error } of this.#replayAll()) {
          if (error === undefined) this.#current?.resolve(this.#records);
          else this.#current?.reject(error);
          this.#current = undefined;
        }
      } catch (error) {
        // The Worker itself failed, or could not be made. The histories after this one get another.
        const failed = this.#current ?? this.#jobs.shift();
        failed?.reject(error);
        this.#current = undefined;
      }
    }
    this.#running = undefined;
  }

  #replayAll(): ReturnType<typeof InterpreterWorker.runReplayHistories> {
    const fn = ({ historyLength }: WorkflowInfo, record: MirrorRecord): void => {
      if (this.#tasks.has(historyLength)) this.#records.push(record);
    };
    const options = {
      workflowBundle: { codePath: this.#bundlePath },
      dataConverter: this.#dataConverter,
      // Replays in a thread of its own, as live workflows run: the default is this thread, where the SDK would then
      // watch every promise, whoever makes or settles it, until the process ends.
      debugMode: false,
      // Without `callDuringReplay` a replay worker calls no sinks.
      sinks: { mirror: { write: { fn, callDuringReplay: true } } },
      replayName: "projection",
    };
    return InterpreterWorker.runReplayHistories(options, this.#feed());
  }

  /** The Worker replays one history at a time, and asks for the next when it is done. */
  async *#feed(): AsyncGenerator<{ workflowId: string; history: History }> {
    for (;;) {
      const job = this.#jobs.shift();
      if (job !== undefined) {
        this.#current = job;
        this.#records = [];
        this.#tasks = completedTasks(job.history);
        yield job;
      } else if (this.#isClosed) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}

function completedTasks({ events }: History): ReadonlySet<number> {
  const started = (events ?? []).map(
    (event) => event.workflowTaskCompletedEventAttributes?.startedEventId,
  );
  return new Set(started.filter((id) => id != null).map(Number));
}

/** What a replay finally says of each step, in order of recording. */
export function newestSteps(records: readonly MirrorRecord[]): StepRow[] {
  const rows = new Map<string, StepRow>();
  for (const record of records) if (record.kind === "step") rows.set(record.id, record);
  return [...rows.values()].sort((a, b) => a.ordinal - b.ordinal);
}
