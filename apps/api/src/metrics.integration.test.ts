import { createServer } from "node:net";
import { findFreePort } from "@truerun/dev/processes/ports";
import { temporalAddress } from "@truerun/dev/testing/test-services";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTcpProxy } from "@truerun/dev/testing/tcp-proxy";
import { createProcessRig, type ProcessRig } from "./testing/process-rig.ts";
import { sendTo } from "./testing/test-gateway.ts";

let rig: ProcessRig;
beforeAll(async () => {
  rig = await createProcessRig();
});
afterAll(() => rig.close());

/** Reads the metrics from the port; a missing line counts as 0. */
async function scrape(port: number) {
  const { status, text, headers } = await sendTo(port, "GET", "/metrics");
  expect([status, headers["content-type"]]).toEqual([200, expect.stringContaining("text/plain")]);
  const values = new Map(
    text.split("\n").map((line): [string, number] => {
      const end = line.lastIndexOf(" ");
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
  return { text, value: (line: string) => values.get(line) ?? 0 };
}

const requests = (operation: string, status: string) =>
  `truerun_http_request_duration_seconds_count{operation="${operation}",status="${status}"}`;
const dispatches = (outcome: string) => `truerun_dispatches_total{outcome="${outcome}"}`;

test("requests and dispatches are counted by closed sets of labels, on a port of their own", async () => {
  const [, temporalPort = ""] = temporalAddress().split(":");
  const proxy = await createTcpProxy({ targetPort: Number(temporalPort) });
  const metricsPort = await findFreePort();
  const { port } = await rig.start({
    METRICS_PORT: String(metricsPort),
    TEMPORAL_ADDRESS: `127.0.0.1:${proxy.port}`,
  });
  const send = (method: string, path: string) => sendTo(port, method, path, { key: rig.org.key });
  const before = await scrape(metricsPort);
  expect(before.value(requests("runWorkflow", "201"))).toBe(0);
  const run = await send("POST", `/v1/workflows/${rig.workflowName}/run`);
  expect(run.status, run.text).toBe(201);
  const id = String(run.json["workflow_run_id"]);
  await send("GET", `/v1/workflows/runs/${id}`);
  await send("GET", `/v1/workflows/runs/${id.replace(/.$/, "z")}`);
  await send("GET", `/v1/nowhere/${id}`);
  proxy.cut();
  expect((await send("POST", `/v1/workflows/${rig.workflowName}/run`)).status).toBe(502);
  const { text, value } = await scrape(metricsPort);
  expect({
    started: value(requests("runWorkflow", "201")),
    notStarted: value(requests("runWorkflow", "502")),
    read: value(requests("getWorkflowRun", "200")),
    notFound: value(requests("getWorkflowRun", "404")),
    nowhere: value(requests("none", "404")),
    dispatched: value(dispatches("dispatched")),
    unavailable: value(dispatches("unavailable")),
    lags: value("truerun_dispatch_lag_seconds_count"),
  }).toEqual({
    started: 1,
    notStarted: 1,
    read: 1,
    notFound: 1,
    nowhere: 1,
    dispatched: 1,
    unavailable: 1,
    lags: 1,
  });
  const lag = value("truerun_dispatch_lag_seconds_sum");
  expect(lag).toBeGreaterThan(0);
  expect(lag).toBeLessThan(30);
  expect(value("process_resident_memory_bytes")).toBeGreaterThan(0);
  expect(text).not.toMatch(/cb[a-z]+_|nowhere|w-[0-9a-f]/);
  expect((await sendTo(metricsPort, "GET", "/")).status).toBe(404);
  expect((await send("GET", "/metrics")).status).toBe(404);
  await proxy.close();
});

test("nothing is served unless METRICS_PORT is set", async () => {
  const gateway = await rig.start();
  gateway.kill("SIGTERM");
  await gateway.exited;
  expect(gateway.output()).not.toContain("serving metrics");
});

test("a port that is taken is named, and ends the process", async () => {
  const taken = createServer();
  const port = await findFreePort();
  await new Promise<void>((resolve) => taken.listen(port, "127.0.0.1", resolve));
  const told = (variable: string) => `Cannot listen on HOST 127.0.0.1, ${variable} ${port}: `;
  await expect(rig.start({ METRICS_PORT: String(port) })).rejects.toThrow(told("METRICS_PORT"));
  await expect(rig.start({ PORT: String(port) })).rejects.toThrow(told("PORT"));
  taken.close();
});
