// The measurements of one system in one round.
import autocannon from "autocannon";
import { expectStatus, type HttpRequest } from "../systems/http-client.ts";
import { runIdOf } from "../systems/service-requests.ts";
import type { Deployment, System, SystemHttp } from "../systems/system.ts";
import { runClosedLoop } from "./closed-loop.ts";
import { cpuPer, type PerPart, readCpu } from "./process-use.ts";
import { type Sample, type SampleKey, toSample } from "./sample.ts";

export interface Durations {
  warmUpMs: number;
  acceptMs: number;
  endsWarmUpMs: number;
  endsMs: number;
  readsMs: number;
}

export interface Subject {
  deployment: Deployment;
  system: System;
  durations: Durations;
}

/** How many starts are accepted, and how long each takes. */
export async function measureAccept(subject: Subject, key: SampleKey): Promise<Sample> {
  const { system, durations } = subject;
  return await measureLoop(subject, key, {
    warmUpMs: durations.warmUpMs,
    windowMs: durations.acceptMs,
    once: async () => void (await system.accept()),
  });
}

/** How many runs reach their end, and how long each takes from before its start. */
export async function measureEnds(subject: Subject, key: SampleKey): Promise<Sample> {
  const { system, durations } = subject;
  return await measureLoop(subject, key, {
    warmUpMs: durations.endsWarmUpMs,
    windowMs: durations.endsMs,
    leastCount: key.inFlight,
    once: async () => await system.untilEnded(await system.accept()),
  });
}

interface Loop {
  warmUpMs: number;
  windowMs: number;
  leastCount?: number;
  once: () => Promise<void>;
}

async function measureLoop({ deployment }: Subject, key: SampleKey, loop: Loop): Promise<Sample> {
  let before: PerPart | null = null;
  let after: PerPart | null = null;
  const result = await runClosedLoop({
    ...loop,
    inFlight: key.inFlight,
    onOpen: () => (before = readCpu(deployment)),
    onClose: () => (after = readCpu(deployment)),
  });
  return toSample(key, result, cpuPer(before, after, result.count));
}

/** Completed runs that reads and repeats cycle through. */
const READ_RUNS = 50;

/** How many runs can be read a second. */
export async function measureGet(subject: Subject, key: SampleKey): Promise<Sample> {
  const { system } = subject;
  const http = httpOf(system);
  const ids = await Promise.all(Array.from({ length: READ_RUNS }, () => system.accept()));
  await Promise.all(ids.map((id) => system.untilEnded(id)));
  return await shoot(subject, key, { status: 200, requests: ids.map((id) => http.getRun(id)) });
}

/** How many repeats of an accepted start can be answered a second. */
export async function measureReplay(subject: Subject, key: SampleKey): Promise<Sample> {
  const { startOnce } = httpOf(subject.system);
  const { http } = subject.deployment;
  if (startOnce === null || http === null) throw new Error("It has no idempotency keys");
  const name = (n: number): string => `${key.round}-${n}`;
  const requests = Array.from({ length: READ_RUNS }, (_, n) => startOnce(name(n)));
  const firsts = await Promise.all(requests.map((each) => expectStatus(http, each, 201)));
  // Runs still being executed would be measured along with the repeats.
  await Promise.all(firsts.map((answer) => subject.system.untilEnded(runIdOf(answer))));
  return await shoot(subject, key, { status: 201, requests });
}

function httpOf({ http, name }: System): SystemHttp {
  if (http === null) throw new Error(`${name} is not asked over HTTP`);
  return http;
}

interface Shots {
  status: number;
  requests: readonly HttpRequest[];
}

async function shoot(
  { deployment, system, durations }: Subject,
  key: SampleKey,
  { status, requests }: Shots,
): Promise<Sample> {
  const options = {
    url: httpOf(system).origin,
    connections: key.inFlight,
    requests: requests.map((request) => ({ ...request })),
  };
  await autocannon({ ...options, duration: durations.warmUpMs / 1_000 });
  const before = readCpu(deployment);
  const result = await autocannon({ ...options, duration: durations.readsMs / 1_000 });
  const after = readCpu(deployment);
  const answered = result.statusCodeStats?.[String(status) as "200"]?.count ?? 0;
  if (answered !== result.requests.total || result.errors > 0) {
    throw new Error(`${system.name}: ${key.measure} was not always answered ${status}`);
  }
  return {
    ...key,
    count: answered,
    perSecond: answered / result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    cpuMs: cpuPer(before, after, answered),
  };
}
