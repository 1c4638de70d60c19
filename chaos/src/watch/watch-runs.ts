import { setTimeout as pause } from "node:timers/promises";
import { isTerminal, type RunStatus } from "@truerun/shared/contracts/statuses";
import type { Findings } from "../checks/findings.ts";
import type { Api, Reply } from "../load/api.ts";
import { addLook, type Sighting } from "./sightings.ts";

export interface Watch {
  /** From now on this run is looked at, again and again. */
  add(runId: string): void;
  /** What was seen of every run. */
  readonly sightings: ReadonlyMap<string, readonly Sighting[]>;
  /** Runs that were not terminal when they were last seen. */
  openRuns(): string[];
  /** Looks that were answered, and those that got 503 or none. */
  readonly counts: { looks: number; unavailable: number };
  stop(): Promise<void>;
}

export interface WatchOptions {
  api: Api;
  /** Of the org whose runs they are. */
  apiKey: string;
  /** Of an org that has no runs: it must never see one. */
  strangerKey: string;
  findings: Findings;
}

/** Looks at a time, and how long each pauses: about 60 a second in all. */
const LANES = 3;
const PAUSE_MS = 40;
/** Every so many looks another org asks for the same run. */
const STRANGER_EVERY = 10;

/** Reads runs through the API all the time, mostly those that are open, as callers do. */
export function watchRuns(options: WatchOptions): Watch {
  const sightings = new Map<string, Sighting[]>();
  const counts = { looks: 0, unavailable: 0 };
  const queue: string[] = [];
  const stopping = new AbortController();
  const isOpen = (runId: string): boolean =>
    !isTerminal(sightings.get(runId)?.at(-1)?.status ?? "started");

  async function look(runId: string, turn: number): Promise<void> {
    const isStranger = turn % STRANGER_EVERY === 0;
    const reply = await options.api.request(turn % 2, {
      method: "GET",
      path: `/v1/workflows/runs/${runId}`,
      apiKey: isStranger ? options.strangerKey : options.apiKey,
    });
    const isAnswered = reply.kind === "answer" && reply.status !== 503;
    counts[isAnswered ? "looks" : "unavailable"] += 1;
    if (!isAnswered) return;
    if (isStranger) assertHidden(options.findings, runId, reply);
    else takeLook(options.findings, sightings.get(runId) ?? [], { runId, reply });
  }

  /** Of a few that wait, the first open one: most looks go to runs that change. */
  function takeNext(turn: number): string | undefined {
    const open = turn % 4 === 0 ? -1 : queue.findIndex(isOpen);
    return queue.splice(Math.max(0, open), 1)[0];
  }

  async function watch(lane: number): Promise<void> {
    for (let turn = lane; !stopping.signal.aborted; turn += LANES) {
      const runId = takeNext(turn);
      if (runId !== undefined) {
        await look(runId, turn);
        queue.push(runId);
      }
      await pause(PAUSE_MS);
    }
  }

  const lanes = Array.from({ length: LANES }, (_, lane) => watch(lane));
  return {
    sightings,
    counts,
    add(runId) {
      if (sightings.has(runId)) return;
      sightings.set(runId, []);
      queue.push(runId);
    },
    openRuns: () => [...sightings.keys()].filter(isOpen),
    async stop() {
      stopping.abort();
      await Promise.all(lanes);
    },
  };
}

function takeLook(
  findings: Findings,
  seen: Sighting[],
  { runId, reply }: { runId: string; reply: Extract<Reply, { kind: "answer" }> },
): void {
  if (reply.status !== 200) {
    const isLost = reply.status === 404;
    const what = `reading it was answered ${reply.status}: ${reply.text.slice(0, 200)}`;
    const [invariant, verdict] = isLost ? (["I1", "lost"] as const) : (["I7", "broken"] as const);
    findings.add({ invariant, verdict, runId, what });
    return;
  }
  const run = JSON.parse(reply.text) as { status: RunStatus; completed_at: number | null };
  const { sentAt, doneAt } = reply;
  addLook(seen, { status: run.status, completedAt: run.completed_at, sentAt, doneAt });
}

function assertHidden(
  findings: Findings,
  runId: string,
  { status, text }: Extract<Reply, { kind: "answer" }>,
): void {
  if (status === 404) return;
  const what = `another org was answered ${status}: ${text.slice(0, 200)}`;
  findings.add({ invariant: "I9", verdict: "broken", runId, what });
}
