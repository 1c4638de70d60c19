/** What a loop saw between the opening of its window and the close. */
export interface LoopResult {
  count: number;
  perSecond: number;
  /** Of what ended in the window, in milliseconds. */
  latencies: number[];
}

export interface LoopOptions {
  /** How many are always under way: each that ends is followed by the next. */
  inFlight: number;
  /** Before the window opens. */
  warmUpMs: number;
  windowMs: number;
  /** One of what is measured, to its end. */
  once: () => Promise<void>;
  onOpen?: () => void;
  onClose?: () => void;
}

/**
 * Keeps so many under way and counts those that end within a window. Own code, because tinybench measures
 * functions one by one, and autocannon only what is asked over HTTP; starts of raw Temporal and of the
 * others have to be measured by the same clock.
 *
 * @throws the first error of any; a benchmark of what fails would be worth nothing
 */
export async function runClosedLoop(options: LoopOptions): Promise<LoopResult> {
  const { inFlight, warmUpMs, windowMs, once, onOpen, onClose } = options;
  const latencies: number[] = [];
  const since = performance.now();
  let opened: number | null = null;
  let closed: number | null = null;
  const timers = [
    setTimeout(() => {
      opened = performance.now();
      onOpen?.();
    }, warmUpMs),
    setTimeout(() => {
      closed = performance.now();
      onClose?.();
    }, warmUpMs + windowMs),
  ];
  const lane = async (): Promise<void> => {
    while (performance.now() < since + warmUpMs + windowMs) {
      const startedAt = performance.now();
      await once();
      if (opened !== null && closed === null) latencies.push(performance.now() - startedAt);
    }
  };
  try {
    await Promise.all(Array.from({ length: inFlight }, lane));
    while (closed === null) await new Promise((resolve) => setTimeout(resolve, 1));
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
  const seconds = (closed - (opened ?? closed)) / 1_000;
  return { count: latencies.length, perSecond: latencies.length / seconds, latencies };
}
