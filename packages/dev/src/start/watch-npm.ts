const INTERVAL_MS = 250;

/**
 * Reports when the npm that runs this process is gone: no terminal can reach this process then, yet it would
 * keep the data folder from the next start. Without npm nothing is watched: whoever puts a process into the
 * background means it to stay.
 */
export function watchNpm(isUnderNpm: boolean, onGone: () => void): void {
  if (!isUnderNpm) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onGone();
  }, INTERVAL_MS);
  timer.unref();
}
