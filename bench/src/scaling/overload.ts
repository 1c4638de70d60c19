import { runOpenLoop } from "../measure/open-loop.ts";
import { type PerPart, readMemory } from "../measure/process-use.ts";
import { RUN_INPUT } from "../systems/run-input.ts";
import { getRequest, runRequest } from "../systems/service-requests.ts";
import type { Service } from "../systems/service.ts";
import { measureLimit, ONE_OF_EACH, type ScalingContext, withService } from "./context.ts";
import { type Answers, createAnswers } from "./answers.ts";
import { countRows, waitUntilEnded } from "./run-rows.ts";

export interface OverloadResult {
  limitPerSecond: number;
  givenPerSecond: number;
  seconds: number;
  accepted: Answers;
  /** Answered 503; and how many of them had no `Retry-After`. */
  refused: number;
  refusedWithoutRetryAfter: number;
  /** Answered 502: the run exists, and is dispatched later. */
  notDispatched: number;
  /** None of these: no answer, or another one. */
  failed: number;
  /** How many requests, reads included, got no answer, by reason. */
  unanswered: Readonly<Record<string, number>>;
  /** Not sent, because too many requests were in flight. */
  notSent: number;
  reads: Answers & { failed: number };
  /** Accepted, or answered 502, but without a row afterwards. */
  lost: number;
  /** Not ended when waiting was given up. */
  open: number;
  /** Before, and the peak during the overload. */
  memoryMb: [PerPart | null, PerPart | null];
}

const FACTOR = 10;
/** What this process itself can hold: sockets, and memory for them. */
const MAX_IN_FLIGHT = 4_000;
const READ_EVERY_MS = 50;
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
    const givenPerSecond = limitPerSecond * FACTOR;
    display.status(`overload: ${Math.round(givenPerSecond)} starts a second`);
    const storm = await overload(service, { givenPerSecond, seconds: options.seconds });
    const { ids, ...result } = storm;
    display.status(`overload: waiting for ${ids.length} runs to end`);
    const patienceMs = (ids.length / limitPerSecond) * 1_000 * PATIENCE + LEAST_PATIENCE_MS;
    const open = await waitUntilEnded(service, patienceMs);
    const lost = ids.length - (await countRows(service, ids));
    return { limitPerSecond, givenPerSecond, seconds: options.seconds, ...result, lost, open };
  });
}

interface Storm {
  givenPerSecond: number;
  seconds: number;
}

type Outcome = Omit<
  OverloadResult,
  "limitPerSecond" | "givenPerSecond" | "seconds" | "lost" | "open"
>;

async function overload(
  service: Service,
  { givenPerSecond, seconds }: Storm,
): Promise<Outcome & { ids: string[] }> {
  const request = runRequest("service", service.apiKey, RUN_INPUT);
  const readRequest = getRequest(await service.start("service", RUN_INPUT), service.apiKey);
  const accepted = createAnswers();
  const reads = createAnswers();
  const counts = { refused: 0, refusedWithoutRetryAfter: 0, notDispatched: 0, failed: 0 };
  const ids: string[] = [];
  let failedReads = 0;
  const sender = createSender(service);
  const start = async (): Promise<void> => {
    const since = performance.now();
    const answer = await sender.send(request);
    if (answer === null) counts.failed += 1;
    else if (answer.status === 201) {
      accepted.add(since);
      ids.push((JSON.parse(answer.text) as { workflow_run_id: string }).workflow_run_id);
    } else if (answer.status === 503) {
      counts.refused += 1;
      if (answer.headers["retry-after"] === undefined) counts.refusedWithoutRetryAfter += 1;
    } else if (answer.status === 502) {
      counts.notDispatched += 1;
      ids.push(...(/cbwr_[0-9a-f]{32}/.exec(answer.text) ?? []));
    } else counts.failed += 1;
  };
  const read = async (): Promise<void> => {
    const since = performance.now();
    const answer = await sender.send(readRequest);
    if (answer?.status === 200) reads.add(since);
    else failedReads += 1;
  };
  const memory = watchMemory(service);
  const load = { perSecond: givenPerSecond, durationMs: seconds * 1_000 };
  const [notSent] = await Promise.all([
    runOpenLoop({ ...load, maxInFlight: MAX_IN_FLIGHT, once: start }),
    runOpenLoop({ ...load, perSecond: 1_000 / READ_EVERY_MS, maxInFlight: 100, once: read }),
  ]).finally(memory.stop);
  return {
    accepted: accepted.result(),
    reads: { ...reads.result(), failed: failedReads },
    ...counts,
    unanswered: sender.unanswered,
    notSent,
    ids,
    memoryMb: memory.seen(),
  };
}

/** Sends, and counts requests that got no answer. */
function createSender({ http }: Service) {
  const unanswered: Record<string, number> = {};
  return {
    unanswered,
    async send(request: Parameters<typeof http.send>[0]) {
      try {
        return await http.send(request);
      } catch (error) {
        const reason = toReason(error);
        unanswered[reason] = (unanswered[reason] ?? 0) + 1;
        return null;
      }
    },
  };
}

/** The error's code where there is one: messages contain ports. */
function toReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
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
