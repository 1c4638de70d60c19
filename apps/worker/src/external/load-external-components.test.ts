import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ComponentsError } from "../load-components.ts";
import { type DeclarationsSource, loadExternalComponents } from "./load-external-components.ts";

const SHIPPED = fileURLToPath(new URL("../../../../components/external", import.meta.url));
const GOOD = `
action_type: score
title: Score
description: Scores
task_queue: risk
input_schema: { type: object }
output_schema: { type: integer }
`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "external-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function load(files: Record<string, string>, more: Partial<DeclarationsSource> = {}) {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const own = { components: new Map(), ownTaskQueue: "truerun", optional: false };
  return await loadExternalComponents({ folder, ...own, ...more });
}

async function faultsOf(...given: Parameters<typeof load>): Promise<string[]> {
  const error: unknown = await load(...given).catch((thrown: unknown) => thrown);
  if (!(error instanceof ComponentsError)) throw new Error("It was loaded", { cause: error });
  return error.message
    .split("\n")
    .slice(1)
    .map((line) => line.trim().replace(`${folder}/`, ""));
}

test("a declaration's defaults are filled in", async () => {
  const loaded = await load({ "score.yaml": `${GOOD}defaults: { retry: { max_attempts: 3 } }\n` });
  expect([...loaded.keys()]).toEqual(["score"]);
  expect(loaded.get("score")).toMatchObject({
    taskQueue: "risk",
    defaults: {
      timeout: "30s",
      retry: {
        max_attempts: 3,
        initial_interval: "1s",
        backoff_coefficient: 2,
        max_interval: "1m",
      },
    },
  });
  expect(loaded.get("score")?.defaults).not.toHaveProperty("heartbeat_timeout");
});

test("those that are shipped can be used", async () => {
  const loaded = await load({}, { folder: SHIPPED });
  expect([...loaded.keys()]).toContain("score_vendor_risk");
});

test.each<[what: string, file: string, text: string, fault: RegExp]>([
  ["no YAML", "score.yaml", "a: [1\nb: 2", /^score\.yaml: is not YAML: .* line 2/],
  [
    "the same key twice",
    "score.yaml",
    `${GOOD}title: Again\n`,
    /^score\.yaml: is not YAML: Map keys must be unique at line/,
  ],
  ["no map", "score.yaml", "- 1", /^score\.yaml: the file: /],
  ["nothing", "score.yaml", "", /^score\.yaml: the file: /],
  [
    "another name",
    "scores.yaml",
    GOOD,
    /^scores\.yaml: holds the action score, so its name must be score\.yaml$/,
  ],
  [
    "a bad action type",
    "score.yaml",
    GOOD.replace("score", "Score!"),
    /^score\.yaml: action_type: /,
  ],
  ["an unknown key", "score.yaml", `${GOOD}taskqueue: x\n`, /^score\.yaml: the file: .*taskqueue/],
  [
    "no task queue",
    "score.yaml",
    GOOD.replace("task_queue: risk", ""),
    /^score\.yaml: task_queue: /,
  ],
  [
    "a queue of Temporal's",
    "score.yaml",
    GOOD.replace("risk", "/_sys/x"),
    /^score\.yaml: task_queue: names that begin/,
  ],
  [
    "our own queue",
    "score.yaml",
    GOOD.replace("risk", "truerun"),
    /^score\.yaml: task_queue: truerun is this service's own/,
  ],
  [
    "a bad duration",
    "score.yaml",
    `${GOOD}defaults: { heartbeat_timeout: 10 s }\n`,
    /^score\.yaml: defaults\.heartbeat_timeout: /,
  ],
  [
    "pauses in the wrong order",
    "score.yaml",
    `${GOOD}defaults: { retry: { initial_interval: 2m } }\n`,
    /^score\.yaml: defaults: retry\.max_interval/,
  ],
  [
    "a bad schema",
    "score.yaml",
    GOOD.replace("type: integer", "type: int"),
    /^score\.yaml: output_schema: .*type/,
  ],
  [
    "a schema that is no map",
    "score.yaml",
    GOOD.replace("{ type: object }", "true"),
    /^score\.yaml: input_schema: /,
  ],
])("%s is refused by file and place", async (_, file, text, fault) => {
  const faults = await faultsOf({ [file]: text });
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatch(fault);
});

test("all faults of all files are named; a clash with a name in use, and of two files, is one", async () => {
  const files = {
    "fail.yaml": GOOD.replace("score", "fail"),
    "default.yaml": GOOD.replace("score", "default"),
    "transform.yaml": GOOD.replace("score", "transform"),
    "score.yaml": GOOD,
    "score.yml": GOOD,
    "worst.yaml": "action_type: worst\ntitle: ''\n",
    "notes.md": "nothing",
  };
  const faults = await faultsOf(files, { components: new Map([["transform", {} as never]]) });
  expect(faults).toEqual(
    expect.arrayContaining([
      "fail.yaml: action_type: the engine has an action of that name",
      "default.yaml: action_type: Temporal's SDK has that name",
      "transform.yaml: action_type: there is a component of that name",
      "score.yml: another file has the same action",
      expect.stringMatching(/^worst\.yaml: title: /),
      expect.stringMatching(/^worst\.yaml: output_schema: /),
    ]),
  );
});

test("no such folder is no declarations only where it may be missing", async () => {
  const missing = join(folder, "missing");
  expect((await load({}, { folder: missing, optional: true })).size).toBe(0);
  expect(await faultsOf({}, { folder: missing })).toEqual([
    expect.stringMatching(/^missing: ENOENT/),
  ]);
  await mkdir(missing);
  expect((await load({}, { folder: missing })).size).toBe(0);
});
