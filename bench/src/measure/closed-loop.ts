/** What a loop saw while its window was open. */
export interface LoopResult {
  count: number;
  perSecond: number;
  /** Of what ended in the window, in milliseconds. */
  latencies: number[];
}

export interface LoopOptions {
  /** How many are always in flight: each that ends is followed by the next. */
  inFlight: number;
  /** Before the window opens. */
  warmUpMs: number;
  windowMs: number;
  /**
   * The window opens only once this many have ended, and stays open until as many more have. So those that began
   * together are out of step by then, and even a slow machine gives a result. Default: 1.
   */
  leastCount?: number;
  /** Does what is measured once, to its end. */
  once: () => Promise<void>;
  onOpen?: () => void;
  onClose?: () => void;
}

const LONGER_MS = 50;

/**
 * Keeps a fixed number in flight and counts those that end within a window. Hand-written, because tinybench
 * measures functions one by one and autocannon only HTTP, while raw Temporal's starts and the others' must be
 * measured by the same clock.
 *
 * @throws the first error of any; a benchmark of failures would be worthless
 */
export async function runClosedLoop(options: LoopOptions): Promise<LoopResult> {
  const { inFlight, warmUpMs, windowMs, once, onOpen, onClose, leastCount = 1 } = options;
  const latencies: number[] = [];
  let opened: number | null = null;
  let closed: number | null = null;
  let ended = 0;
  const open = (): void => {
    if (ended < leastCount) {
      timer = setTimeout(open, LONGER_MS);
      return;
    }
    opened = performance.now();
    onOpen?.();
    timer = setTimeout(close, windowMs);
  };
  const close = (): void => {
    if (latencies.length < leastCount) {
      timer = setTimeout(close, LONGER_MS);
      return;
    }
    closed = performance.now();
    onClose?.();
  };
  let timer = setTimeout(open, warmUpMs);
  const lane = async (): Promise<void> => {
    while (closed === null) {
      const startedAt = performance.now();
      await once();
      ended += 1;
      if (opened !== null && closed === null) latencies.push(performance.now() - startedAt);
    }
  };
  try {
    await Promise.all(Array.from({ length: inFlight }, lane));
  } finally {
    clearTimeout(timer);
  }
  if (opened === null || closed === null) throw new Error("The loop ended before its window");
  const seconds = (closed - opened) / 1_000;
  return { count: latencies.length, perSecond: latencies.length / seconds, latencies };
}
