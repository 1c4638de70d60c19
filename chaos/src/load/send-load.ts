import { pause } from "@truerun/shared/pause";
import type { Findings } from "../checks/findings.ts";
import type { Api, Reply } from "./api.ts";
import type { LoadItem } from "./plan-load.ts";

/** What a caller knows about a run that it asked for. */
export interface SentRun {
  item: LoadItem;
  /** Null while no answer named it. */
  runId: string | null;
  /** The first 201, byte for byte. */
  answer: string | null;
  /** A request without a key lost its answer: it may or may not have made a run, and is not repeated. */
  isAmbiguous: boolean;
  requests: number;
}

export interface LoadOptions {
  api: Api;
  apiKey: string;
  ledgerUrl: string;
  findings: Findings;
}

const RETRY_AFTER_MS = 500;

/** Starts a run as the API's contract tells callers to: repeats what may be repeated until it gets a 201. */
export async function sendRun(
  options: LoadOptions,
  item: LoadItem,
  signal: AbortSignal,
): Promise<SentRun> {
  const sent: SentRun = {
    item,
    runId: null,
    answer: null,
    isAmbiguous: false,
    requests: 0,
  };
  while (!signal.aborted && !(await tryOnce(options, sent))) {
    await pause(RETRY_AFTER_MS, signal);
  }
  if (item.isRepeated && sent.answer !== null) await tryOnce(options, sent);
  return sent;
}

/** Repeats a request once. @returns whether its caller is done */
export async function repeatRun(options: LoadOptions, sent: SentRun): Promise<boolean> {
  return await tryOnce(options, sent);
}

/** The key that a repeat carries: the caller's own, or the run's id, which the 502 gave. */
export function repeatKey({ item, runId }: SentRun): string | null {
  return item.key ?? runId;
}

/** @returns whether the caller is done */
async function tryOnce(options: LoadOptions, sent: SentRun): Promise<boolean> {
  const { item } = sent;
  const idempotencyKey = repeatKey(sent);
  const reply = await options.api.request((item.gateway + sent.requests) % 2, {
    method: "POST",
    path: `/v1/workflows/${encodeURIComponent(item.shape.name)}/run`,
    apiKey: options.apiKey,
    idempotencyKey,
    body: { input: { load_id: item.id, ledger: options.ledgerUrl } },
  });
  sent.requests += 1;
  if (reply.kind === "lost") {
    sent.isAmbiguous = idempotencyKey === null;
    return sent.isAmbiguous;
  }
  return takeAnswer(options, sent, reply);
}

function takeAnswer(
  { findings }: LoadOptions,
  sent: SentRun,
  { status, text }: Extract<Reply, { kind: "answer" }>,
): boolean {
  if (status === 503) return false;
  const runId = /cbwr_[0-9a-f]{32}/.exec(text)?.[0] ?? null;
  if ((status !== 201 && status !== 502) || runId === null) {
    const what = `a request for ${sent.item.id} was answered ${status}: ${text.slice(0, 300)}`;
    findings.add({ invariant: "I7", verdict: "broken", runId: sent.runId, what });
    return true;
  }
  if (sent.runId !== null && sent.runId !== runId) {
    const what = `a repeat for ${sent.item.id} was answered with another run, ${runId}`;
    findings.add({ invariant: "I10", verdict: "doubled", runId: sent.runId, what });
  }
  sent.runId ??= runId;
  if (status === 502) return false;
  if (sent.answer !== null && sent.answer !== text) {
    const what = `the first answer was ${sent.answer}, a repeat's ${text}`;
    findings.add({ invariant: "I10", verdict: "doubled", runId, what });
  }
  sent.answer ??= text;
  return true;
}
