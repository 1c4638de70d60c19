import { expect, test } from "vitest";
import { createFindings } from "../checks/findings.ts";
import type { ApiRequest } from "../load/api.ts";
import { lookAtRun } from "./look-at-run.ts";

const run = { status: "started", completed_at: null, steps: [] };

/** Looks at a run in a turn. @returns what was seen, who asked for what, and what was found */
async function look(turn: number, { status, body = run }: { status: number; body?: object }) {
  const findings = createFindings(() => undefined);
  const asked: string[] = [];
  const api = {
    async request(gateway: number, { method, path, apiKey }: ApiRequest) {
      asked.push(`${apiKey} ${gateway} ${method} ${path}`);
      const text = JSON.stringify(body);
      return { kind: "answer" as const, status, text, sentAt: 0, doneAt: 0 };
    },
  };
  const seen = await lookAtRun({ api, apiKey: "own", strangerKey: "other", findings }, "x", turn);
  const found = findings.violations.map(({ invariant, verdict }) => `${invariant} ${verdict}`);
  return { seen, asked, found };
}

test("a run's own org sees it, and a 503 is no look", async () => {
  expect(await look(1, { status: 200 })).toMatchObject({ found: [], seen: { run } });
  expect(await look(1, { status: 503 })).toMatchObject({ found: [], seen: null });
});

test("a run that is not to be had, or an answer that may not be, is found", async () => {
  expect((await look(1, { status: 404 })).found).toEqual(["I1 lost"]);
  expect((await look(1, { status: 500 })).found).toEqual(["I7 broken"]);
});

test("another org that is answered anything but 404 is found, whatever and whomever it asks", async () => {
  const turns = [0, 10, 20, 30];
  const looks = await Promise.all(turns.map((turn) => look(turn, { status: 200 })));
  expect(looks.flatMap(({ asked }) => asked)).toEqual([
    "other 0 GET /v1/workflows/runs/x",
    "other 0 POST /v1/workflows/runs/x/cancel",
    "other 1 GET /v1/workflows/runs/x",
    "other 1 POST /v1/workflows/runs/x/cancel",
  ]);
  for (const { found, seen } of looks) {
    expect([found, seen?.run]).toEqual([["I9 broken"], null]);
  }
  expect((await look(0, { status: 404 })).found).toEqual([]);
});
