// Callers that ask for large answers and read nothing of them.
import { once } from "node:events";
import net from "node:net";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { temporalAddress } from "@truerun/dev/testing/test-services";
import { afterAll, beforeAll, expect, test } from "vitest";
import { toHead } from "../testing/raw-connection.ts";
import { defineWorkflow, insertRun, insertStep } from "../testing/run-rows.ts";
import { startTestGateway, type TestGateway } from "../testing/test-gateway.ts";
import { createTestRig, type TestRig } from "../testing/test-rig.ts";

/** Longer than it takes to ask for all of them. */
const UNREAD_MS = 10_000;
/** One answer, and as many as make more than half of the memory for bodies: 128 MiB. */
const STEPS_OF_A_MEGABYTE = 24;
const CALLERS = 6;

let rig: TestRig;
let gateway: TestGateway;
let path: string;
beforeAll(async () => {
  rig = await createTestRig();
  gateway = await startTestGateway({
    DATABASE_URL: rig.databaseUrl,
    TEMPORAL_ADDRESS: temporalAddress(),
    REQUEST_TIMEOUT_MS: String(UNREAD_MS),
  });
  const id = await insertRun(rig, await defineWorkflow(rig));
  for (let ordinal = 0; ordinal < STEPS_OF_A_MEGABYTE; ordinal++) {
    await insertStep(rig, id, { ordinal, status: "success", output: "x".repeat(1024 * 1024) });
  }
  path = `/v1/workflows/runs/${id}?include=details`;
});
afterAll(async () => {
  await gateway.stop();
  await rig.close();
});

/** Resolves once the answer has begun. Of it Node reads some kilobytes. */
async function askAndReadNothing(): Promise<net.Socket> {
  const socket = net.connect(gateway.port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(toHead("GET", path, { headers: { authorization: `Bearer ${rig.org.key}` } }));
  await once(socket, "readable");
  return socket;
}

/** Reads until all of the answer has come, or the connection is closed. @returns whether all has come */
async function readsAll(socket: net.Socket, pauseMs = 0): Promise<boolean> {
  let bytes = 0;
  const isWhole = await new Promise<boolean>((resolve) => {
    socket.on("data", (chunk) => {
      bytes += chunk.length;
      if (bytes > STEPS_OF_A_MEGABYTE * 1024 * 1024) resolve(true);
      if (pauseMs === 0) return;
      socket.pause();
      setTimeout(() => socket.resume(), pauseMs);
    });
    socket.on("close", () => resolve(false));
  });
  socket.destroy();
  return isWhole;
}

test("they are cut after a while; until then what they hold counts against their key", async () => {
  const list = (key: string) => gateway.send("GET", "/v1/workflows/runs", { key });
  const sockets: net.Socket[] = [];
  // One after the other: large answers that are made at once may each take too long.
  for (let index = 0; index < CALLERS; index++) sockets.push(await askAndReadNothing());
  expect((await list(rig.org.key)).status).toBe(503);
  expect((await list(rig.otherOrg.key)).status).toBe(200);
  await waitFor("the key's answers to be free", async () => {
    return (await list(rig.org.key)).status === 200;
  });
  const whole = await Promise.all(sockets.map((socket) => readsAll(socket)));
  expect(whole).toContain(false);
});

test("a caller who reads gets all of it, however slowly", async () => {
  expect(await readsAll(await askAndReadNothing(), 10)).toBe(true);
});
