import type { Database } from "@truerun/shared/db";
import { expect, test, vi } from "vitest";
import { createProbe } from "./health.ts";

test("whoever asks while a probe is under way shares its result; who asks later has another", async () => {
  const query = vi.fn<() => Promise<unknown>>(() => Promise.resolve([{ one: 1 }]));
  let answer: () => void = () => undefined;
  const pingTemporal = vi.fn<() => Promise<void>>(
    () => new Promise<void>((resolve) => (answer = resolve)),
  );
  const probe = createProbe({ db: { $queryRaw: query } as unknown as Database, pingTemporal });
  const asked = Array.from({ length: 100 }, () => probe());
  answer();
  const results = await Promise.all(asked);
  expect(new Set(results).size).toBe(1);
  expect(results[0]?.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled"]);
  expect([query.mock.calls.length, pingTemporal.mock.calls.length]).toEqual([1, 1]);
  pingTemporal.mockRejectedValueOnce(new Error("away"));
  expect((await probe()).map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
});
