// Requests that are sent whether or not those before them were answered, and what became of each.
import type { HttpAnswer, HttpRequest } from "../systems/http-client.ts";
import { runIdOf } from "../systems/service-requests.ts";
import type { Service } from "../systems/service.ts";
import { type Answers, createAnswers } from "./answers.ts";

/** What became of starts. */
export interface Starts {
  /** Answered 201. */
  accepted: Answers;
  /** Answered 503; and how many of them had no `Retry-After`. */
  refused: number;
  refusedWithoutRetryAfter: number;
  /** Answered 502: the run exists, and is dispatched later. */
  notDispatched: number;
  /** None of these: no answer, or another one. */
  failed: number;
}

/** What became of reads: answered 200, or not. */
export type Reads = Answers & { failed: number };

export interface Sender {
  /** @returns null when there was no answer */
  send(request: HttpRequest): Promise<HttpAnswer | null>;
  /** How many requests got no answer, by reason. */
  unanswered: Readonly<Record<string, number>>;
}

export function createSender({ http }: Service): Sender {
  const unanswered: Record<string, number> = {};
  return {
    unanswered,
    async send(request) {
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

/** Starts runs by these requests in turn. `ids` are those of all runs that were promised. */
export function createStarts(sender: Sender, requests: readonly HttpRequest[]) {
  const accepted = createAnswers();
  const counts = { refused: 0, refusedWithoutRetryAfter: 0, notDispatched: 0, failed: 0 };
  const ids: string[] = [];
  const next = inTurn(requests);
  return {
    ids,
    result: (): Starts => ({ accepted: accepted.result(), ...counts }),
    async once(): Promise<void> {
      const since = performance.now();
      const answer = await sender.send(next());
      if (answer?.status === 201) {
        accepted.add(since);
        ids.push(runIdOf(answer.text));
      } else if (answer?.status === 503) {
        counts.refused += 1;
        if (answer.headers["retry-after"] === undefined) counts.refusedWithoutRetryAfter += 1;
      } else if (answer?.status === 502) {
        counts.notDispatched += 1;
        // Only its text names the run.
        ids.push(...(/cbwr_[0-9a-f]{32}/.exec(answer.text) ?? []));
      } else counts.failed += 1;
    },
  };
}

/** Reads by these requests in turn. */
export function createReads(sender: Sender, requests: readonly HttpRequest[]) {
  const answers = createAnswers();
  let failed = 0;
  const next = inTurn(requests);
  return {
    result: (): Reads => ({ ...answers.result(), failed }),
    async once(): Promise<void> {
      const since = performance.now();
      const answer = await sender.send(next());
      if (answer?.status === 200) answers.add(since);
      else failed += 1;
    },
  };
}

function inTurn(requests: readonly HttpRequest[]): () => HttpRequest {
  let sent = 0;
  return () => {
    const request = requests[sent++ % requests.length];
    if (request === undefined) throw new Error("There is nothing to send");
    return request;
  };
}
