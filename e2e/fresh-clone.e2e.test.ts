// Follows the README's first screen in a copy of the project's files with nothing installed.
import { execFile } from "node:child_process";
import { createServer } from "node:http";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { findFreePort } from "../packages/dev/src/processes/ports.ts";
import { waitFor } from "../packages/dev/src/testing/wait-for.ts";
import {
  type Banner,
  createFreshClone,
  type FreshClone,
  type Started,
  supervisorOf,
} from "./fresh-clone.ts";

const exec = promisify(execFile);

interface Run {
  workflow_run_id: string;
  status: string;
  steps: {
    step_id: string;
    component_name: string;
    action_type: string;
    status: string | null;
  }[];
}

describe("npm start in a fresh clone", () => {
  let clone: FreshClone;
  let settings: Record<string, string>;
  let started: Started | undefined;
  let banner: Banner;
  let runId: string;

  beforeAll(async () => {
    clone = await createFreshClone();
    settings = {
      PORT: String(await findFreePort()),
      TEMPORAL_PORT: String(await findFreePort()),
      TEMPORAL_UI_PORT: String(await findFreePort()),
    };
  });

  afterAll(async () => {
    started?.kill("SIGTERM");
    await started?.exited;
    await clone.remove();
  });

  // Each step builds on the one before: after a failure the others would only fail too.
  let hasFailed = false;
  beforeEach(({ skip, onTestFailed }) => {
    skip(hasFailed, "a step before it failed");
    onTestFailed(() => {
      hasFailed = true;
    });
  });

  async function getRun(): Promise<Run> {
    const response = await fetch(`${banner.apiUrl}/v1/workflows/runs/${runId}`, {
      headers: { authorization: `Bearer ${banner.demoKey}` },
    });
    expect(response.status).toBe(200);
    return (await response.json()) as Run;
  }

  async function stopInOrder(): Promise<void> {
    started?.kill("SIGTERM");
    expect(await started?.exited, started?.output()).toBe(0);
    started = undefined;
    expect(await clone.processes()).toEqual([]);
  }

  test("installs, builds and starts everything, and prints where it is", async () => {
    started = clone.start(settings);
    banner = await started.ready(240_000);
    expect(banner.apiUrl).toBe(`http://127.0.0.1:${settings["PORT"]}`);
    expect(banner.uiUrl).toBe(`http://127.0.0.1:${settings["TEMPORAL_UI_PORT"]}`);
    for (const url of [`${banner.apiUrl}/readyz`, `${banner.apiUrl}/docs`, banner.uiUrl]) {
      expect((await fetch(url)).status, url).toBe(200);
    }
    for (const file of ["runtime.json", "demo-key"]) {
      const { mode } = await stat(join(clone.folder, ".data", file));
      expect(mode & 0o777, file).toBe(0o600);
    }
  });

  test("the printed curl starts a run, whose steps grow until a person reviews it", async () => {
    const { stdout } = await exec("sh", ["-c", banner.curl]);
    const answer = JSON.parse(stdout) as Run;
    expect(answer).toMatchObject({ workflow_name: "quarterly-privacy-sweep", status: "started" });
    runId = answer.workflow_run_id;
    const waiting = await waitFor(
      "the review",
      async () => (await getRun()).steps.find((step) => step.action_type === "wait_for_review"),
      60_000,
    );
    const reviewed = await fetch(
      `${banner.apiUrl}/v1/workflows/runs/${runId}/reviews/${waiting.step_id}`,
      {
        method: "POST",
        headers: {
          authorization: `Bearer ${banner.demoKey}`,
          "content-type": "application/json",
        },
        body: JSON.stringify({ decision: "approve" }),
      },
    );
    expect(reviewed.status).toBe(202);
    const run = await waitFor(
      "the run's end",
      async () => {
        const seen = await getRun();
        return seen.status === "started" ? null : seen;
      },
      60_000,
    );
    expect(run.status).toBe("completed");
    const sent = run.steps.filter((step) => step.action_type === "send_questionnaire");
    expect(sent.length).toBeGreaterThan(10);
    expect(run.steps.filter(({ status }) => status !== "success")).toEqual([
      expect.objectContaining({ component_name: "The sweep was rejected", status: "skipped" }),
      expect.objectContaining({
        component_name: "The sweep was rejected without a comment",
        status: "skipped",
      }),
    ]);
    expect(run.steps.at(-1)).toMatchObject({ action_type: "send_email", status: "success" });
  });

  test("the same run can be read in Temporal Web UI", async () => {
    const response = await fetch(`${banner.apiUrl}/v1/workflows/runs/${runId}`, {
      headers: { authorization: `Bearer ${banner.demoKey}` },
    });
    expect(response.headers.get("link")).toContain(banner.uiUrl);
    // The Web UI sends this request to its server itself.
    const shown = await fetch(`${banner.uiUrl}/api/v1/namespaces/default/workflows/${runId}`);
    expect(shown.status).toBe(200);
    const { workflowExecutionInfo: info } = (await shown.json()) as {
      workflowExecutionInfo: { type: { name: string } };
    };
    expect(info.type.name).toBe("quarterly-privacy-sweep");
  });

  test("npm run key prints one new key and nothing else", async () => {
    const made = await clone.npm(["run", "--silent", "key", "--", "--org", "Ümläut & Co"]);
    expect(made.code, made.stderr).toBe(0);
    expect(made.stdout).toMatch(/^ak_live_[0-9A-Za-z]+\n$/);
    const headers = { authorization: `Bearer ${made.stdout.trim()}` };
    const list = await fetch(`${banner.apiUrl}/v1/workflows/runs`, { headers });
    expect(await list.json()).toMatchObject({ data: [], total: 0 });

    const refused = await clone.npm([
      "run",
      "--silent",
      "key",
      "--",
      "--org",
      "x",
      "--scopes",
      "no",
    ]);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain("workflows:write");
  });

  test("npm run seed can be repeated and makes no new version", async () => {
    const versions = async (): Promise<unknown> => {
      const headers = { authorization: `Bearer ${banner.demoKey}` };
      return await (await fetch(`${banner.apiUrl}/v1/workflows`, { headers })).json();
    };
    const before = await versions();
    const seeded = await clone.npm(["run", "--silent", "seed"]);
    expect(seeded.code, seeded.stderr).toBe(0);
    expect(await versions()).toEqual(before);
  });

  test("a second start on the same data is refused and says where the first is", async () => {
    const second = clone.start({});
    expect(await second.exited).toBe(1);
    expect(second.output()).toContain(banner.apiUrl);
    expect((await getRun()).status).toBe("completed");
  });

  test("SIGTERM ends everything with exit code 0, and the next start has the runs and the key", async () => {
    await stopInOrder();
    started = clone.start(settings);
    const again = await started.ready(60_000);
    expect(started.output()).not.toMatch(/Installing|Generating|Compiling|Bundling/);
    expect(again.demoKey).toBe(banner.demoKey);
    expect((await getRun()).status).toBe("completed");
  });

  test("after kill -9 of the supervisor the next start recovers on the same ports", async () => {
    process.kill(await supervisorOf(clone.folder), "SIGKILL");
    await started?.exited;
    started = clone.start(settings);
    const again = await started.ready(90_000);
    expect(again).toEqual(banner);
    expect((await getRun()).status).toBe("completed");
  });

  test("after kill -9 of npm everything ends, and the next start waits for that", async () => {
    started?.kill("SIGKILL");
    await started?.exited;
    started = clone.start(settings);
    expect(await started.ready(90_000)).toEqual(banner);
    await stopInOrder();
  });

  test("a port that was set and is taken is refused by its variable's name, and nothing stays", async () => {
    const blocker = createServer();
    const port = Number(settings["PORT"]);
    await new Promise<void>((resolve) => blocker.listen(port, "127.0.0.1", resolve));
    try {
      const refused = clone.start(settings);
      expect(await refused.exited).toBe(1);
      expect(refused.output()).toContain(`PORT is ${port}`);
      expect(await clone.processes()).toEqual([]);
    } finally {
      await new Promise((resolve) => blocker.close(resolve));
    }
  });

  test("a SIGTERM while it starts ends it with nothing left", async () => {
    const early = clone.start(settings);
    await waitFor("something to be running", async () => (await clone.processes()).length > 2);
    early.kill("SIGTERM");
    expect(await early.exited, early.output()).toBe(0);
    expect(await clone.processes()).toEqual([]);
  });
});
