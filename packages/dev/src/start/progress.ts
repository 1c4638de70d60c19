/** Tells the waiting user what is being done, and how long it took. */
export interface Progress {
  readonly line: (text: string) => void;
  /** Runs `work` and prints its title with the time taken; `done` may make a better title from its result. */
  step<T>(title: string, work: () => Promise<T>, done?: (result: T) => string): Promise<T>;
}

/** Progress on standard output; standard error is for what went wrong. */
export function createProgress(write: (text: string) => void): Progress {
  return {
    line: (text) => write(`${text}\n`),
    async step(title, work, done) {
      const started = performance.now();
      const result = await work();
      const seconds = ((performance.now() - started) / 1_000).toFixed(1);
      write(`${done?.(result) ?? title} ... ${seconds} s\n`);
      return result;
    },
  };
}
