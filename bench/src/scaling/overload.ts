import { runOpenLoop } from "../measure/open-loop.ts";
import { type PerPart, readMemory } from "../measure/process-use.ts";
import { RUN_INPUT } from "../systems/run-input.ts";
import { getRequest, listRequest, runRequest } from "../systems/service-requests.ts";
import type { Service } from "../systems/service.ts";
import { toThreeSteps } from "../systems/three-steps.ts";
import { measureLimit, ONE_OF_EACH, type ScalingContext, withService } from "./context.ts";
import { countByStatus, waitUntilEnded } from "./run-rows.ts";
import { createReads, createSender, createStarts, type Reads, type Starts } from "./storm.ts";

export interface OverloadResult extends Starts {
  limitPerSecond: number;
  givenPerSecond: number;
  seconds: number;
  /** How many orgs start runs in turn, each with a key of its own. */
  orgs: number;
  /** How many requests, reads included, got no answer, by reason. */
  unanswered: Readonly<Record<string, number>>;
  /** Not sent, because too many requests were in flight. */
  notSent: number;
  /** Of one run, and of the newest runs. */
  gets: Reads;
  lists: Reads;
  /**
   * What the rows of the runs that were promised, with 201 or 502, say when waiting was over, by status. Those that
   * are missing have no row.
   */
  statuses: Readonly<Record<string, number>>;
  /** Before, and the peak during the overload. */
  memoryMb: [PerPart | null, PerPart | null];
}

const FACTOR = 10;
/** A single one could have only half of the gateway's places. */
const ORGS = 4;
/** What this process itself can hold: sockets, and memory for them. */
const MAX_IN_FLIGHT = 4_000;
const MAX_READS_IN_FLIGHT = 100;
/** Of each kind. */
const READS_PER_SECOND = 20;
const LOOK_EVERY_MS = 2_000;
/** Accepted runs may take this many times as long to end as they should. */
const PATIENCE = 3;
const LEAST_PATIENCE_MS = 60_000;

/** Offers ten times what is possible, for a while, over the loopback address alone. */
export async function measureOverload(context: ScalingContext): Promise<OverloadResult> {
  const { options, display } = context;
  return await withService(context, ONE_OF_EACH, async (service) => {
    display.status("overload: measuring the limit");
    const limitPerSecond = await measureLimit(service, context);
    const load = { givenPerSecond: limitPerSecond * FACTOR, seconds: options.seconds };
    const apiKeys = await createOrgs(service);
    display.status(`overload: ${Math.round(load.givenPerSecond)} starts a second`);
    const { ids, ...result } = await overload(service, apiKeys, load);
    display.status(`overload: waiting for ${ids.length} runs to end`);
    const patienceMs = (ids.length / limitPerSecond) * 1_000 * PATIENCE + LEAST_PATIENCE_MS;
    await waitUntilEnded(service, patienceMs);
    const statuses = await countByStatus(service, ids);
    return { limitPerSecond, ...load, orgs: apiKeys.length, ...result, statuses };
  });
}

/** @returns their keys */
async function createOrgs(service: Service): Promise<string[]> {
  const names = Array.from({ length: ORGS }, (_, index) => `org-${index}`);
  const apiKeys: string[] = [];
  for (const name of names) {
    const apiKey = await service.createOrg(name);
    await service.define("service", toThreeSteps("bench_step"), apiKey);
    apiKeys.push(apiKey);
  }
  return apiKeys;
}

type Load = Pick<OverloadResult, "givenPerSecond" | "seconds">;
type Storm = Omit<OverloadResult, keyof Load | "limitPerSecond" | "orgs" | "statuses">;

async function overload(
  service: Service,
  apiKeys: readonly string[],
  { givenPerSecond, seconds }: Load,
): Promise<Storm & { ids: readonly string[] }> {
  const toGet = async (apiKey: string) =>
    getRequest(await service.start("service", RUN_INPUT, apiKey), apiKey);
  const getRequests = await Promise.all(apiKeys.map(toGet));
  const sender = createSender(service);
  const starts = createStarts(
    sender,
    apiKeys.map((apiKey) => runRequest("service", apiKey, RUN_INPUT)),
  );
  const gets = createReads(sender, getRequests);
  const lists = createReads(sender, apiKeys.map(listRequest));
  const memory = watchMemory(service);
  const durationMs = seconds * 1_000;
  const reading = { durationMs, perSecond: READS_PER_SECOND, maxInFlight: MAX_READS_IN_FLIGHT };
  const starting = { durationMs, perSecond: givenPerSecond, maxInFlight: MAX_IN_FLIGHT };
  const [notSent] = await Promise.all([
    runOpenLoop({ ...starting, once: () => starts.once() }),
    runOpenLoop({ ...reading, once: () => gets.once() }),
    runOpenLoop({ ...reading, once: () => lists.once() }),
  ]).finally(memory.stop);
  return {
    ...starts.result(),
    ids: starts.ids,
    gets: gets.result(),
    lists: lists.result(),
    unanswered: sender.unanswered,
    notSent,
    memoryMb: memory.seen(),
  };
}

/** Memory now, and its peak from now on. */
function watchMemory(service: Service) {
  const before = readMemory(service);
  let most = before;
  const looking = setInterval(() => {
    most = mostOf(most, readMemory(service));
  }, LOOK_EVERY_MS);
  return {
    stop: () => clearInterval(looking),
    seen: (): OverloadResult["memoryMb"] => [before, most],
  };
}

function mostOf(a: PerPart | null, b: PerPart | null): PerPart | null {
  if (a === null || b === null) return null;
  const kinds = Object.keys(b) as (keyof PerPart)[];
  return Object.fromEntries(kinds.map((kind) => [kind, Math.max(a[kind] ?? 0, b[kind] ?? 0)]));
}
