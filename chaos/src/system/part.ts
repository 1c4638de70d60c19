import { type RunningPart, supervisePart } from "@truerun/dev/start/supervise-part";
import { processTree, signalAll } from "@truerun/dev/processes/process-tree";

/**
 * A supervised part that faults can be done to, one at a time. Each fault waits until the part is up, and
 * resolves when it is up again.
 */
export interface Part {
  kill(): Promise<void>;
  /** Asks it to end in order. */
  restart(): Promise<void>;
  /** Stops all its processes until `untilOver` resolves. */
  pause(untilOver: () => Promise<void>): Promise<void>;
  /** Ends it in order, and keeps it away until `untilOver` resolves. */
  takeAway(untilOver: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

export interface PartOptions {
  name: string;
  start: () => Promise<RunningPart>;
  say: (message: string) => void;
}

/** @throws what the first start throws */
export async function createPart({ name, start, say }: PartOptions): Promise<Part> {
  let current: RunningPart | null = null;
  let returns = Promise.resolve();
  const waiting: (() => void)[] = [];
  const part = await supervisePart({
    name,
    say,
    async start() {
      await returns;
      const started = await start();
      current = started;
      void started.process.exited.then(() => {
        if (current === started) current = null;
      });
      for (const resolve of waiting.splice(0)) resolve();
      return started;
    },
  });
  async function untilUp(): Promise<RunningPart> {
    while (current === null) await new Promise<void>((resolve) => waiting.push(resolve));
    return current;
  }
  const whileUp = async (fault: (running: RunningPart) => Promise<void>): Promise<void> => {
    await fault(await untilUp());
    await untilUp();
  };
  return {
    kill: () => whileUp(kill),
    restart: () => whileUp((running) => running.stop()),
    pause: (untilOver) => whileUp((running) => pause(running, untilOver)),
    takeAway: (untilOver) =>
      whileUp(async (running) => {
        let comeBack = (): void => undefined;
        returns = new Promise((resolve) => {
          comeBack = resolve;
        });
        await running.stop();
        await untilOver().finally(comeBack);
      }),
    stop: () => part.stop(),
  };
}

async function kill({ process }: RunningPart): Promise<void> {
  signalAll(await processTree(process.pid), "SIGKILL");
  await process.exited;
}

async function pause({ process }: RunningPart, untilOver: () => Promise<void>): Promise<void> {
  const pids = await processTree(process.pid);
  paused.add(pids);
  signalAll(pids, "SIGSTOP");
  await untilOver();
  paused.delete(pids);
  signalAll(await processTree(process.pid), "SIGCONT");
}

const paused = new Set<readonly number[]>();

/** Continues everything that is paused: nothing may stay stopped forever when this process has to end. */
export function resumeAll(): void {
  for (const pids of paused) signalAll(pids, "SIGCONT");
}
