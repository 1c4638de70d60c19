import { setMaxListeners } from "node:events";
import { pause } from "@truerun/shared/pause";
import { isTerminal } from "@truerun/shared/contracts/statuses";
import type { Findings } from "./checks/findings.ts";
import { readRuns } from "./checks/facts.ts";
import type { FaultRecord } from "./faults/fault-record.ts";
import { injectFaults } from "./faults/inject-faults.ts";
import type { LoadItem } from "./load/plan-load.ts";
import { type LoadOptions, repeatKey, repeatRun, type SentRun, sendRun } from "./load/send-load.ts";
import type { Fault } from "./plan/fault.ts";
import { type Display, toBar } from "@truerun/dev/report/display";
import type { Scene } from "./scene.ts";
import { type Watch, watchRuns } from "./watch/watch-runs.ts";

export interface StormOptions {
  scene: Scene;
  load: readonly LoadItem[];
  faults: readonly Fault[];
  durationMs: number;
  findings: Findings;
  display: Display;
}

export interface Storm {
  sent: SentRun[];
  faults: FaultRecord[];
  watch: Watch;
}

/** How long callers go on repeating after the last fault. */
const PATIENCE_MS = 60_000;

/** Starts the runs and makes the faults happen, watching everything. Ends when all callers are done. */
export async function runStorm(options: StormOptions): Promise<Storm> {
  const { scene, findings, display } = options;
  const { api, apiKey, client, ledger } = scene;
  const watch = watchRuns({ api, apiKey, strangerKey: scene.strangerKey, findings });
  const begin = Date.now();
  const loadOptions = { api, apiKey, ledgerUrl: ledger.url, findings };
  const callers = new AbortController();
  // Every waiting caller adds a listener.
  setMaxListeners(0, callers.signal);
  const count = { sent: 0, faults: 0 };
  const resting = new Set<string>();
  const timer = setInterval(() => {
    const share = (Date.now() - begin) / options.durationMs;
    const runs = `${count.sent}/${options.load.length} runs started, ${watch.openRuns().length} open`;
    display.status(`${toBar(share)}  ${runs}, ${count.faults}/${options.faults.length} faults`);
  }, 500);
  try {
    const sending = options.load.map(async (item) => {
      await pause(Math.max(0, begin + item.atMs - Date.now()));
      const sent = await sendRun(loadOptions, item, callers.signal);
      count.sent += 1;
      if (sent.runId !== null) {
        if (!isTerminal(item.shape.ends)) resting.add(sent.runId);
        watch.add(sent.runId);
      }
      return sent;
    });
    const operator = {
      client,
      api,
      apiKey,
      findings,
      candidates: (of: "all" | "open") =>
        of === "all" ? [...watch.sightings.keys()] : thinOut(watch.openRuns(), resting),
    };
    const say = (text: string): void => {
      count.faults += 1;
      display.line(text);
    };
    const records = await injectFaults(
      { cluster: scene.cluster, operator, begin, say },
      options.faults,
    );
    const giveUp = setTimeout(() => callers.abort(), PATIENCE_MS);
    const sent = await Promise.all(sending);
    clearTimeout(giveUp);
    return { sent, faults: records, watch };
  } finally {
    clearInterval(timer);
  }
}

/** Runs that never end pile up: keeps only the newest of them, so that most acts hit the others. */
function thinOut(open: readonly string[], resting: ReadonlySet<string>): string[] {
  const newest = open.findLast((runId) => resting.has(runId));
  return open.filter((runId) => runId === newest || !resting.has(runId));
}

/** In calm: also watches the runs whose callers got no answer, and repeats every request that has a key. */
export async function settle(
  { sent, watch }: Storm,
  scene: Scene,
  findings: Findings,
): Promise<void> {
  for (const runId of (await readRuns(scene.db)).keys()) watch.add(runId);
  const { api, apiKey, ledger } = scene;
  const options: LoadOptions = { api, apiKey, ledgerUrl: ledger.url, findings };
  for (const each of sent) if (repeatKey(each) !== null) await repeatRun(options, each);
}
