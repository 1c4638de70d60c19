import { expect, test } from "vitest";
import { createFindings } from "../checks/findings.ts";
import type { ApiRequest, Reply } from "./api.ts";
import type { LoadItem } from "./plan-load.ts";
import { repeatRun, sendRun } from "./send-load.ts";
import { SHAPES } from "./shapes.ts";

const [shape] = SHAPES;
if (shape === undefined) throw new Error("There are shapes");
const ID = `cbwr_${"1".repeat(32)}`;
const OTHER = `cbwr_${"2".repeat(32)}`;
const keyless: LoadItem = {
  id: "load-1",
  shape,
  key: null,
  gateway: 0,
  isRepeated: false,
  atMs: 0,
};
const keyed: LoadItem = { ...keyless, key: "key-1" };

const times = { sentAt: 0, doneAt: 0 };
const answer = (status: number, text: string): Reply => ({
  kind: "answer",
  status,
  text,
  ...times,
});
const lost: Reply = { kind: "lost", reason: "cut", ...times };

/** Requests a run, and repeats the request until all of these replies were given. */
async function send(item: LoadItem, replies: Reply[]) {
  const findings = createFindings(() => undefined);
  const requests: ApiRequest[] = [];
  const api = {
    async request(_: number, request: ApiRequest): Promise<Reply> {
      requests.push(request);
      return replies.shift() ?? lost;
    },
  };
  const options = { api, apiKey: "", ledgerUrl: "", findings };
  const sent = await sendRun(options, item, new AbortController().signal);
  while (replies.length > 0) await repeatRun(options, sent);
  const keys = requests.map(({ idempotencyKey }) => idempotencyKey);
  const found = findings.violations.map(({ invariant, verdict }) => `${invariant} ${verdict}`);
  return { sent, keys, found };
}

test("a caller repeats after 503, 502 and silence, by its key or the run's id, until it has its 201", async () => {
  const created = answer(201, `{"workflow_run_id":"${ID}"}`);
  const failed = answer(502, `Retry with (${ID}).`);
  const withKey = await send(keyed, [lost, answer(503, ""), failed, created, created]);
  expect(withKey).toMatchObject({ found: [], sent: { runId: ID, requests: 5 } });
  expect(withKey.keys).toEqual(Array(5).fill("key-1"));
  const without = await send(keyless, [answer(503, ""), failed, created]);
  expect(without.keys).toEqual([null, null, ID]);
  const silent = await send(keyless, [lost]);
  expect(silent).toMatchObject({ found: [], sent: { isAmbiguous: true, requests: 1 } });
});

test.each([
  ["other bytes", answer(201, `{"workflow_run_id": "${ID}"}`)],
  ["another run", answer(201, `{"workflow_run_id":"${OTHER}"}`)],
])("a repeat that is answered with %s is found", async (_, repeat) => {
  const { found } = await send(keyed, [answer(201, `{"workflow_run_id":"${ID}"}`), repeat]);
  expect(found).toContain("I10 doubled");
});

test.each([500, 504, 404, 401])("a %i is found", async (status) => {
  expect((await send(keyed, [answer(status, "{}")])).found).toEqual(["I7 broken"]);
});
