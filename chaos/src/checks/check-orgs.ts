import type { Scene } from "../scene.ts";
import type { Findings } from "./findings.ts";

/** I9: an org without runs lists none. That it can read none was asked all the time. */
export async function checkOrgs(
  { api, strangerKey }: Pick<Scene, "api" | "strangerKey">,
  findings: Findings,
): Promise<void> {
  for (const gateway of [0, 1]) {
    const path = "/v1/workflows/runs?limit=1";
    const reply = await api.request(gateway, { method: "GET", path, apiKey: strangerKey });
    const text = reply.kind === "answer" ? reply.text : reply.reason;
    if (text === '{"data":[],"total":0,"limit":1,"offset":0}') continue;
    const what = `an org without runs was answered ${text.slice(0, 300)}`;
    findings.add({ invariant: "I9", verdict: "broken", runId: null, what });
  }
}
