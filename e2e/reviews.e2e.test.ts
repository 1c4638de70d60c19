// Reviews through everything: callers, and gateway, worker and Temporal, each of which goes away meanwhile.
import { afterAll, beforeAll, expect, test } from "vitest";
import { waitFor } from "../packages/dev/src/testing/wait-for.ts";
import { createTemporalClient } from "../packages/shared/src/temporal-connection.ts";
import { createParts, type Parts } from "./parts.ts";

interface Step {
  step_id: string;
  status: string | null;
  message: string | null;
  component_name: string;
  details: { key: string; output: Record<string, unknown> | null };
}
interface Run {
  workflow_run_id: string;
  status: string;
  steps: Step[];
}
interface Answer {
  decision: "approve" | "reject";
  comment?: string;
}

let parts: Parts;
let mine: string;
let others: string;
beforeAll(async () => {
  parts = await createParts();
  await parts.temporal.start();
  await parts.gateway.start();
  await parts.worker.start();
  mine = await parts.createKey("mine");
  others = await parts.createKey("others");
  const { db } = parts;
  await waitFor("the catalogue", async () => (await db.componentType.count()) > 0);
});
afterAll(() => parts.close());

async function send(
  method: string,
  path: string,
  { body, key = mine }: { body?: unknown; key?: string } = {},
) {
  const response = await fetch(`${parts.apiUrl}/v1/workflows/${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const run = (await response.json()) as Run;
  return { status: response.status, headers: response.headers, run };
}

async function remove(name: string): Promise<void> {
  const url = `${parts.apiUrl}/v1/workflows/${name}`;
  const headers = { authorization: `Bearer ${mine}` };
  expect((await fetch(url, { method: "DELETE", headers })).status).toBe(204);
}

const getRun = async (id: string) => (await send("GET", `runs/${id}?include=details`)).run;
const stepOf = ({ steps }: Run, key: string) => steps.find(({ details }) => details.key === key);
const ended = (id: string) =>
  waitFor(
    `the end of ${id}`,
    async () => {
      const run = await getRun(id);
      return run.status !== "started" && run;
    },
    30_000,
  );

interface Review {
  name: string;
  run: string;
  step: string;
  answer: (answer: Answer, key?: string) => ReturnType<typeof send>;
}

/** Starts a run of these components, and waits for the step of the review under that key. */
async function open(components: readonly unknown[], key = "review"): Promise<Review> {
  const name = crypto.randomUUID();
  expect((await send("PUT", name, { body: { components } })).status).toBe(201);
  const run = (await send("POST", `${name}/run`)).run.workflow_run_id;
  const step = await waitFor(`the review of ${key}`, async () => stepOf(await getRun(run), key));
  return {
    name,
    run,
    step: step.step_id,
    answer: (body, by) =>
      send("POST", `runs/${run}/reviews/${step.step_id}`, {
        body,
        ...(by === undefined ? {} : { key: by }),
      }),
  };
}

const review = { key: "review", name: "Review", action: "wait_for_review" };
const echo = (key: string) => ({ key, name: key, action: "transform", with: { value: key } });
const when = (decision: string) => ({
  path: "steps.review.output.decision",
  op: "eq",
  value: decision,
});
const branches = [
  {
    ...review,
    with: { timeout: "10d" },
    next: [
      { to: "yes", when: when("approve") },
      { to: "no", when: when("reject") },
    ],
  },
  echo("yes"),
  echo("no"),
];
const approve: Answer = { decision: "approve" };
const reject: Answer = { decision: "reject", comment: "not yet \u0000 \ud800" };

/** Repeats an answer while it gets 503. @returns the status it gets then */
const judgmentOf = ({ answer }: Pick<Review, "answer">, given: Answer) =>
  waitFor(
    "a judgment",
    async () => {
      const { status } = await answer(given);
      return status !== 503 && status;
    },
    40_000,
  );

/** The decision is in the run, and the edges follow it. */
async function expectDecided(
  { run }: Review,
  { decision, comment = null }: { decision: string; comment?: string | null },
) {
  const after = await ended(run);
  expect(after.status).toBe("completed");
  expect(stepOf(after, "review")).toMatchObject({
    status: "success",
    details: { output: { decision, comment } },
  });
  const [taken, other] = decision === "approve" ? ["yes", "no"] : ["no", "yes"];
  expect(stepOf(after, taken)?.status).toBe("success");
  expect(stepOf(after, other)).toMatchObject({
    status: "skipped",
    message: expect.stringContaining(decision),
  });
}

test("of thirty answers at once one is taken, and its repeats with it, after the end too", async () => {
  const keys = new Map<string, string>();
  for (let n = 0; n < 10; n++) keys.set(`key-${n}`, await parts.createKey(`key-${n}`));
  const ids = new Map((await parts.db.apiKey.findMany()).map(({ id, name }) => [id, name]));
  const opened = await open(branches);
  // Each key approves twice, word for word, and rejects once.
  const answers = [...keys].flatMap(([name, key]) =>
    [approve, reject, approve].map((answer) => ({ name, key, answer })),
  );
  const results = await Promise.all(
    answers.map(async (each) => ({ ...each, ...(await opened.answer(each.answer, each.key)) })),
  );
  const taken = results.filter(({ status }) => status === 202);
  const [winner] = taken;
  if (winner === undefined) throw new Error("Nobody's answer was taken");
  expect(new Set(results.map(({ status }) => status))).toEqual(new Set([202, 409]));
  const { decision, comment = null } = winner.answer;
  expect(taken.map(({ name, answer }) => [name, answer])).toEqual(
    Array.from({ length: decision === "approve" ? 2 : 1 }, () => [winner.name, winner.answer]),
  );
  expect(winner.run.steps[0]?.status).toBe("success");
  await expectDecided(opened, { decision, comment });
  const { output } = stepOf(await getRun(opened.run), "review")?.details ?? {};
  expect(ids.get(String(output?.["decided_by"]))).toBe(winner.name);
  expect((await opened.answer(winner.answer, winner.key)).status).toBe(202);
  const other = winner.answer === approve ? reject : approve;
  expect((await opened.answer(other, winner.key)).status).toBe(409);
  expect((await opened.answer(winner.answer, others)).status).toBe(409);
});

test("without a worker an answer is a 503 in time, and its repeat is taken when there is one", async () => {
  const opened = await open(branches);
  await parts.worker.kill();
  const askedAt = Date.now();
  const answer = await opened.answer(reject);
  expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
  expect(Date.now() - askedAt).toBeLessThan(5_000);
  await parts.gateway.kill();
  await parts.gateway.start();
  await parts.worker.start();
  expect(await judgmentOf(opened, reject)).toBe(202);
  expect((await opened.answer(approve, others)).status).toBe(409);
  await expectDecided(opened, reject);
});

test("a review outlives its worker, its gateway and Temporal", async () => {
  const plain = await open([review]);
  const opened = await open(branches);
  for (const part of [parts.worker, parts.gateway, parts.temporal]) await part.kill();
  await parts.temporal.start();
  await parts.gateway.start();
  await parts.worker.start();
  expect((await getRun(opened.run)).status).toBe("started");
  expect(await judgmentOf(opened, approve)).toBe(202);
  await expectDecided(opened, approve);
  expect((await plain.answer(reject)).status).toBe(202);
  expect((await ended(plain.run)).status).toBe("completed");
});

test("a run goes on by its own definition, though that was replaced or deleted meanwhile", async () => {
  const [replaced, deleted] = [await open(branches), await open(branches)];
  const put = await send("PUT", replaced.name, { body: { components: [echo("other")] } });
  expect(put.status).toBe(200);
  await remove(deleted.name);
  expect((await replaced.answer(approve)).status).toBe(202);
  expect((await deleted.answer(reject)).status).toBe(202);
  await expectDecided(replaced, approve);
  await expectDecided(deleted, reject);
  const anew = await ended((await send("POST", `${replaced.name}/run`)).run.workflow_run_id);
  expect(anew.steps.map(({ details }) => details.key)).toEqual(["other"]);
});

test("while Temporal is frozen an answer is a 503 in time, and one is taken when it wakes", async () => {
  const opened = await open(branches);
  parts.temporal.signal("SIGSTOP");
  const askedAt = Date.now();
  const answer = await opened.answer(reject);
  parts.temporal.signal("SIGCONT");
  expect(answer.status).toBe(503);
  expect(Date.now() - askedAt).toBeLessThan(5_000);
  const [first, second] = [await opened.answer(reject), await opened.answer(approve, others)];
  expect([first.status, second.status]).toEqual([202, 409]);
  await expectDecided(opened, reject);
});

test("a review that is canceled or terminated takes no answer", async () => {
  const canceled = await open(branches);
  expect((await send("POST", `runs/${canceled.run}/cancel`)).status).toBe(202);
  const terminated = await open(branches);
  const temporal = createTemporalClient({
    TEMPORAL_ADDRESS: parts.temporalAddress,
    TEMPORAL_NAMESPACE: "default",
  });
  await temporal.client.workflow.getHandle(terminated.run).terminate("enough");
  await temporal.close();
  for (const [opened, status, reason] of [
    [canceled, "canceled", "The run was canceled."],
    [terminated, "failed", "enough"],
  ] as const) {
    const after = await ended(opened.run);
    expect(after.status).toBe(status);
    expect(after.steps.map((step) => step.status)).toEqual(["failed"]);
    expect(after.steps[0]?.message).toContain(reason);
    expect((await opened.answer(approve)).status).toBe(409);
  }
});

test("an answer and a cancellation that meet leave what the caller is told", async () => {
  const opened = await open(branches);
  await parts.worker.kill();
  const [answer, cancel] = await Promise.all([
    opened.answer(approve),
    send("POST", `runs/${opened.run}/cancel`),
  ]);
  expect([answer.status, cancel.status]).toEqual([503, 202]);
  await parts.worker.start();
  const after = await ended(opened.run);
  expect(after.status).toBe("canceled");
  const isTaken = stepOf(after, "review")?.status === "success";
  expect(await judgmentOf(opened, approve)).toBe(isTaken ? 202 : 409);
});

test.each([
  ["inline", 3, 2],
  ["in a batch", 101, 99],
])("items of a fan-out are answered each for itself: %s", async (_, count, last) => {
  const items = Array.from({ length: count }, (_, n) => n);
  const each = { ...review, for_each: items, max_concurrency: 100 };
  const opened = await open([each], `review[${last}]`);
  const first = stepOf(await getRun(opened.run), "review[0]")?.step_id ?? "";
  const answerFirst = (body: Answer) =>
    send("POST", `runs/${opened.run}/reviews/${first}`, { body });
  const both = await Promise.all([opened.answer(reject), answerFirst(approve)]);
  expect(both.map(({ status }) => status)).toEqual([202, 202]);
  const judge = async () => [
    (await opened.answer(reject)).status,
    (await answerFirst(approve)).status,
    (await answerFirst(reject)).status,
    (await opened.answer(reject, others)).status,
  ];
  expect(await judge()).toEqual([202, 202, 409, 409]);
  const run = await getRun(opened.run);
  expect(stepOf(run, `review[${last}]`)?.details.output).toMatchObject(reject);
  expect(stepOf(run, "review[0]")?.details.output).toMatchObject({ ...approve, comment: null });
  await send("POST", `runs/${opened.run}/cancel`);
  const after = await ended(opened.run);
  expect(after.steps.filter(({ status }) => status === "success")).toHaveLength(2);
  expect(await judge()).toEqual([202, 202, 409, 409]);
});
