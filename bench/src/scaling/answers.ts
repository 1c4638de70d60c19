import { percentile } from "../measure/statistics.ts";

/** How long answers took, in milliseconds. */
export interface Answers {
  count: number;
  p50Ms: number;
  p99Ms: number;
  /** For each ten seconds: if it keeps growing, it is not bounded. */
  p99ByTenSeconds: number[];
}

export interface AnswerTimes {
  /** Adds an answer that has just come; `askedAt` is a `performance.now()`. */
  add(askedAt: number): void;
  result(): Answers;
}

const TEN_SECONDS_MS = 10_000;

/** Its time starts now. */
export function createAnswers(): AnswerTimes {
  const since = performance.now();
  const byTenSeconds: number[][] = [];
  return {
    add(askedAt) {
      const place = Math.floor((askedAt - since) / TEN_SECONDS_MS);
      while (byTenSeconds.length <= place) byTenSeconds.push([]);
      byTenSeconds[place]?.push(performance.now() - askedAt);
    },
    result() {
      const all = byTenSeconds.flat();
      return {
        count: all.length,
        p50Ms: percentile(all, 50),
        p99Ms: percentile(all, 99),
        p99ByTenSeconds: byTenSeconds.map((times) => percentile(times, 99)),
      };
    },
  };
}
