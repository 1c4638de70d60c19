const INTERVAL_MS = 250;

/**
 * Tells when the npm that runs this process is gone. Nobody can reach this process from a terminal then,
 * yet it would hold the data folder against the next start. Started without npm, nothing is watched:
 * whoever puts a process into the background means it to stay.
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
