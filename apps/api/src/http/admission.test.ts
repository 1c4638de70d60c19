import { expect, test, vi } from "vitest";
import { type Admission, type AdmissionLimits, createAdmission, type Place } from "./admission.ts";
import { toCredential } from "./authenticate.ts";
import type { Caller } from "./turns.ts";

const LIMITS: AdmissionLimits = {
  working: 2,
  workingOfKey: null,
  places: 10,
  bodyBytes: 1_000,
};
const credential = (name: string) => toCredential(new TextEncoder().encode(name));
const here: Caller = { isGone: () => false, onGone: () => () => undefined };

/** A caller that hangs up when told to. */
function createCaller() {
  const listeners = new Set<() => void>();
  const caller: Caller = {
    isGone: () => false,
    onGone(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return { caller, listeners, hangUp: () => [...listeners].forEach((listener) => listener()) };
}

function create(limits: Partial<AdmissionLimits> = {}) {
  const clock = { ms: 0 };
  const onShed = vi.fn<(reason: string) => void>();
  const options = { limits: { ...LIMITS, ...limits }, onShed, now: () => clock.ms };
  return { admission: createAdmission(options), onShed, clock };
}

const enter = (admission: Admission, key = "a", bytes = 0) =>
  admission.enter(credential(key), bytes);

test("at most `working` requests are processed at once; waiting keys take turns", async () => {
  const { admission } = create();
  const order: number[] = [];
  const places = ["a", "a", "a", "a", "b"].map((key) => enter(admission, key));
  const turns = places.map(async (place, index) => {
    await place.turn(here);
    order.push(index);
  });
  await Promise.all(turns.slice(0, 2));
  expect(order).toEqual([0, 1]);
  const leaving: [left: number, next: number][] = [
    [1, 2],
    [0, 4],
    [2, 3],
  ];
  for (const [left, next] of leaving) {
    places[left]?.leave(true);
    await turns[next];
  }
  expect(order).toEqual([0, 1, 2, 4, 3]);
  expect(admission.state).toMatchObject({ here: 2, working: 2 });
});

test("a key that is at its own limit lets others pass", async () => {
  const { admission } = create({ working: null, workingOfKey: 2 });
  const order: string[] = [];
  const places = ["a", "a", "a", "b"].map((key) => enter(admission, key));
  const turns = places.map(async (place, index) => {
    await place.turn(here);
    order.push(`${"aaab"[index]}${index}`);
  });
  await Promise.all([turns[0], turns[1], turns[3]]);
  expect(order).toEqual(["a0", "a1", "b3"]);
  places[0]?.leave(true);
  await turns[2];
  expect(admission.state).toMatchObject({ here: 3, working: 3 });
});

test("a large body weighs as much as several, and nobody passes it while it waits", async () => {
  const KB = 1_024;
  const { admission } = create({ working: 4, bodyBytes: 4_096 * KB });
  const order: string[] = [];
  const start = (name: string, bytes: number) => {
    const place = enter(admission, name, bytes);
    const turn = place.turn(here).then(() => order.push(name));
    return { place, turn };
  };
  const first = start("small", 63 * KB);
  const large = start("large", 3 * 64 * KB + 1);
  const second = start("small again", 0);
  await first.turn;
  expect(order).toEqual(["small"]);
  first.place.leave(true);
  await large.turn;
  expect(admission.state.working).toBe(4);
  large.place.leave(true);
  await second.turn;
  second.place.leave(true);
  expect(order).toEqual(["small", "large", "small again"]);
  const huge = start("heavier than the limit", 1_024 * KB);
  await huge.turn;
  const behind = start("behind it", 0);
  huge.place.leave(true);
  await behind.turn;
  expect(order.slice(3)).toEqual(["heavier than the limit", "behind it"]);
});

test("keys take turns by weight: many light requests pass between two heavy ones", async () => {
  const { admission } = create({ working: 4, places: 40, bodyBytes: 4_096 * 1_024 });
  const order: string[] = [];
  const places: Place[] = [];
  const start = (name: string, bytes: number) => {
    const place = enter(admission, name, bytes);
    places.push(place);
    return place.turn(here).then(() => order.push(name));
  };
  const heavy = 3 * 64 * 1_024;
  const turns = [start("heavy", heavy), start("heavy", heavy), start("heavy", heavy)];
  for (let index = 0; index < 6; index++) turns.push(start("light", 0));
  await turns[0];
  places[0]?.leave(true);
  await turns[1];
  places[1]?.leave(true);
  await Promise.all(turns.slice(3, 7));
  for (const place of places.slice(3, 7)) place.leave(true);
  await turns[2];
  places[2]?.leave(true);
  await Promise.all(turns);
  const four = ["light", "light", "light", "light"];
  expect(order).toEqual(["heavy", "heavy", ...four, "heavy", "light", "light"]);
});

test("who waited behind a heavy request, or behind its key's limit, goes on when that gives up", async () => {
  const { admission } = create({ working: 4, workingOfKey: 4, bodyBytes: 4_096 * 1_024 });
  const order: string[] = [];
  const first = enter(admission, "a");
  await first.turn(here);
  const heavy = enter(admission, "b", 3 * 64 * 1_024);
  const { caller, hangUp } = createCaller();
  const refused = heavy.turn(caller).catch((error: unknown) => error);
  const light = ["c", "b"].map((key) => ({ key, place: enter(admission, key) }));
  const turns = light.map(async ({ key, place }) => {
    await place.turn(here);
    order.push(key);
  });
  await Promise.resolve();
  expect(order).toEqual([]);
  hangUp();
  expect(await refused).toMatchObject({ code: "service_unavailable" });
  heavy.leave(false);
  await Promise.all(turns);
  expect(admission.state).toMatchObject({ here: 3, working: 3 });
  for (const { place } of [...light, { place: first }]) place.leave(true);
  expect(admission.state).toMatchObject({ here: 0, working: 0 });
});

test("a request that gives its turn back early keeps its place", async () => {
  const { admission } = create({ working: 1 });
  const [first, second] = [enter(admission), enter(admission)];
  await first.turn(here);
  const turn = second.turn(here);
  first.endTurn();
  first.endTurn();
  await turn;
  expect(admission.state).toMatchObject({ here: 2, working: 1 });
  first.leave(true);
  second.leave(true);
  expect(admission.state).toMatchObject({ here: 0, working: 0 });
});

test("who waits too long, and who has hung up meanwhile, is refused", async () => {
  vi.useFakeTimers();
  try {
    const { admission, onShed } = create({ working: 1 });
    const [first, second] = [enter(admission), enter(admission)];
    await first.turn(here);
    const refused = second.turn(here).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await refused).toMatchObject({
      code: "service_unavailable",
      headers: { "Retry-After": expect.stringMatching(/^[123]$/) as string },
    });
    second.leave(false);
    const { caller, listeners, hangUp } = createCaller();
    const waits = enter(admission);
    const left = waits.turn(caller).catch((error: unknown) => error);
    hangUp();
    expect(await left).toMatchObject({ code: "service_unavailable" });
    expect(listeners.size).toBe(0);
    waits.leave(false);
    first.leave(true);
    const gone = enter(admission);
    const hasGone = { ...here, isGone: () => true };
    await expect(gone.turn(hasGone)).rejects.toMatchObject({ code: "service_unavailable" });
    gone.leave(false);
    expect(onShed.mock.calls).toEqual([["wait"], ["gone"], ["gone"]]);
    expect(admission.state).toMatchObject({ here: 0, working: 0 });
  } finally {
    vi.useRealTimers();
  }
});

test("when others have waited all the time, nobody new waits for as long; after that, again", async () => {
  vi.useFakeTimers();
  try {
    const { admission, clock } = create({ working: 1 });
    const refusedAt: Record<string, number> = {};
    const wait = (name: string): void => {
      enter(admission)
        .turn(here)
        .catch(() => {
          refusedAt[name] = clock.ms;
        });
    };
    const pass = async (ms: number): Promise<void> => {
      for (let step = 0; step < ms; step += 500) {
        clock.ms += 500;
        await vi.advanceTimersByTimeAsync(500);
      }
    };
    await enter(admission).turn(here);
    wait("burst");
    await pass(4_000);
    wait("end of the burst");
    await pass(2_000);
    wait("overload");
    await pass(6_000);
    wait("another burst");
    await pass(6_000);
    expect(refusedAt).toEqual({
      burst: 5_000,
      "end of the burst": 9_000,
      overload: 8_000,
      "another burst": 17_000,
    });
  } finally {
    vi.useRealTimers();
  }
});

test("one key leaves places for others, and all of them are bounded", () => {
  const { admission, onShed } = create();
  for (let index = 0; index < 5; index++) enter(admission, "a");
  expect(() => enter(admission, "a")).toThrow("more requests");
  for (let index = 0; index < 5; index++) enter(admission, "b");
  expect(() => enter(admission, "c")).toThrow("more requests");
  expect(onShed.mock.calls).toEqual([["key_share"], ["places"]]);
});

test("bodies are bounded together, and one key has half of them", () => {
  const { admission, onShed } = create();
  const place = enter(admission, "a", 500);
  expect(() => enter(admission, "a", 1)).toThrow("more requests");
  enter(admission, "b", 400);
  expect(() => enter(admission, "c", 200)).toThrow("more requests");
  expect(onShed.mock.calls).toEqual([["bodies"], ["bodies"]]);
  // The body turned out to be small.
  place.hasRead(10);
  enter(admission, "c", 200);
  place.leave(true);
  enter(admission, "a", 300);
});

test("answers that are not read count like bodies, though their places are free", () => {
  const { admission, onShed } = create();
  const place = enter(admission, "a", 100);
  const free = place.holdAnswer(400, true);
  place.leave(true);
  expect(admission.state.here).toBe(0);
  enter(admission, "a", 100).leave(true);
  expect(() => enter(admission, "a", 101)).toThrow("more requests");
  expect(onShed).toHaveBeenCalledWith("bodies");
  enter(admission, "b", 500).leave(true);
  free();
  enter(admission, "a", 500).leave(true);
});

test("a read that is done is refused when its key's answers fill their half; a write is not", () => {
  const { admission, onShed } = create();
  const [first, second, third] = [enter(admission), enter(admission), enter(admission)];
  first.holdAnswer(501, true);
  expect(() => second.holdAnswer(1, true)).toThrow("more requests");
  expect(onShed).toHaveBeenCalledWith("bodies");
  third.holdAnswer(1, false);
});

test("slow work lets less be done at once, once a round, and quick work as much as before", async () => {
  const { admission, clock } = create({ working: 40, places: 100 });
  async function work(count: number, ms: number, isDone = true): Promise<void> {
    const places = Array.from({ length: count }, () => enter(admission, String(Math.random())));
    await Promise.all(places.map((place) => place.turn(here)));
    clock.ms += ms;
    for (const place of places) place.leave(isDone);
  }
  await work(20, 3_000);
  expect(admission.state.limit).toBe(32);
  for (let round = 0; round < 20; round++) await work(8, 3_000);
  expect(admission.state.limit).toBe(8);
  // Refused and replayed requests are quick too, and say nothing.
  for (let round = 0; round < 60; round++) await work(8, 50, false);
  expect(admission.state.limit).toBe(8);
  for (let round = 0; round < 60; round++) await work(8, 50);
  expect(admission.state.limit).toBe(40);
});
