import type { Findings } from "../checks/findings.ts";
import type { Api, Reply } from "../load/api.ts";
import { type RunView, toReviews } from "./run-view.ts";

export interface LookOptions {
  api: Api;
  /** Key of the org whose runs they are. */
  apiKey: string;
  /** Key of an org that has no runs: it must never see one. */
  strangerKey: string;
  findings: Findings;
}

/** What an answered look showed; `run` is null where there was nothing to see, as for a stranger. */
export interface Seen {
  run: RunView | null;
  sentAt: number;
  doneAt: number;
}

type Answer = Extract<Reply, { kind: "answer" }>;

/** In one of this many looks, another org asks for the run. */
const STRANGER_EVERY = 10;

/**
 * Looks at a run through the API, and answers the reviews that it waits for.
 *
 * @param turn - chooses the gateway, and who asks
 * @returns null when the service could not answer
 */
export async function lookAtRun(
  options: LookOptions,
  runId: string,
  turn: number,
): Promise<Seen | null> {
  if (turn % STRANGER_EVERY === 0) return await lookAsStranger(options, runId, turn);
  const path = `/v1/workflows/runs/${runId}`;
  const { api, apiKey, findings } = options;
  const reply = await api.request(turn % 2, { method: "GET", path, apiKey });
  if (reply.kind === "lost" || reply.status === 503) return null;
  const run = toRun(findings, runId, reply);
  if (run !== null) for (const stepId of toReviews(run)) await review(options, runId, stepId);
  return { run, sentAt: reply.sentAt, doneAt: reply.doneAt };
}

/** Another org tries to read the run or to cancel it: for that org it must not exist. */
async function lookAsStranger(
  { api, strangerKey: apiKey, findings }: LookOptions,
  runId: string,
  turn: number,
): Promise<Seen | null> {
  const run = `/v1/workflows/runs/${runId}`;
  const nth = turn / STRANGER_EVERY;
  const isRead = nth % 2 === 0;
  const reply = await api.request(Math.floor(nth / 2) % 2, {
    ...(isRead ? { method: "GET", path: run } : { method: "POST", path: `${run}/cancel` }),
    apiKey,
  });
  if (reply.kind === "lost" || reply.status === 503) return null;
  const { status, text, sentAt, doneAt } = reply;
  if (status !== 404) {
    const what = `another org was answered ${status}: ${text.slice(0, 200)}`;
    findings.add({ invariant: "I9", verdict: "broken", runId, what });
  }
  return { run: null, sentAt, doneAt };
}

/** Null when the run was not given, which is a finding. */
function toRun(findings: Findings, runId: string, { status, text }: Answer): RunView | null {
  if (status === 200) return JSON.parse(text) as RunView;
  const what = `reading it was answered ${status}: ${text.slice(0, 200)}`;
  const [invariant, verdict] =
    status === 404 ? (["I1", "lost"] as const) : (["I7", "broken"] as const);
  findings.add({ invariant, verdict, runId, what });
  return null;
}

/** What a reviewer may be told: taken; somebody or the timeout was faster; not now; a reset removed the step. */
const REVIEW_ANSWERS = [202, 409, 503, 404];

async function review(
  { api, apiKey, findings }: LookOptions,
  runId: string,
  stepId: string,
): Promise<void> {
  const path = `/v1/workflows/runs/${runId}/reviews/${stepId}`;
  const body = { decision: "approve" };
  const reply = await api.request(1, { method: "POST", path, apiKey, body });
  if (reply.kind === "lost" || REVIEW_ANSWERS.includes(reply.status)) return;
  const what = `the review of ${stepId} was answered ${reply.status}: ${reply.text.slice(0, 200)}`;
  findings.add({ invariant: "I7", verdict: "broken", runId, what });
}
