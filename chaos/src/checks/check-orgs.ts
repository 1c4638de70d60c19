import type { Scene } from "../scene.ts";
import { sendRun } from "../load/send-load.ts";
import type { Facts } from "./facts.ts";

/**
 * I9: an org without runs lists none, and another org's Idempotency-Key is new to it. That it can neither read
 * nor cancel runs was checked all along.
 */
export async function checkOrgs(
  scene: Pick<Scene, "api" | "strangerKey" | "ledger">,
  { sent, findings }: Pick<Facts, "sent" | "findings">,
): Promise<void> {
  const { api, strangerKey, ledger } = scene;
  for (const gateway of [0, 1]) {
    const path = "/v1/workflows/runs?limit=1";
    const reply = await api.request(gateway, { method: "GET", path, apiKey: strangerKey });
    const text = reply.kind === "answer" ? reply.text : reply.reason;
    if (text === '{"data":[],"total":0,"limit":1,"offset":0}') continue;
    const what = `an org without runs was answered ${text.slice(0, 300)}`;
    findings.add({ invariant: "I9", verdict: "broken", runId: null, what });
  }
  const theirs = sent.find(({ item, answer }) => item.key !== null && answer !== null);
  if (theirs === undefined) return;
  const options = { api, apiKey: strangerKey, ledgerUrl: ledger.url, findings };
  const { runId } = await sendRun(options, theirs.item, AbortSignal.timeout(GIVE_UP_AFTER_MS));
  if (runId !== null && runId !== theirs.runId) return;
  const what = `an org that used another's Idempotency-Key was given ${runId}, its run ${theirs.runId}`;
  findings.add({ invariant: "I9", verdict: "broken", runId: theirs.runId, what });
}

const GIVE_UP_AFTER_MS = 15_000;
