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

const UNREAD_MS = 2_000;
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

async function readToTheEnd(socket: net.Socket): Promise<number> {
  let bytes = 0;
  socket.on("data", (chunk) => {
    bytes += chunk.length;
  });
  await once(socket, "close");
  return bytes;
}

test("they are cut after a while; until then what they hold counts against their key", async () => {
  const list = (key: string) => gateway.send("GET", "/v1/workflows/runs", { key });
  const sockets: net.Socket[] = [];
  for (let index = 0; index < CALLERS; index++) sockets.push(await askAndReadNothing());
  expect((await list(rig.org.key)).status).toBe(503);
  expect((await list(rig.otherOrg.key)).status).toBe(200);
  await waitFor("the key's answers to be free", async () => {
    return (await list(rig.org.key)).status === 200;
  });
  const [first, ...others] = sockets;
  for (const other of others) other.destroy();
  expect(first && (await readToTheEnd(first))).toBeLessThan(STEPS_OF_A_MEGABYTE * 1024 * 1024);
});

test("a caller who reads gets all of it, however slowly", async () => {
  const socket = await askAndReadNothing();
  let bytes = 0;
  const isWhole = new Promise<boolean>((resolve) => {
    socket.on("data", (chunk) => {
      bytes += chunk.length;
      if (bytes > STEPS_OF_A_MEGABYTE * 1024 * 1024) resolve(true);
      socket.pause();
      setTimeout(() => socket.resume(), 10);
    });
    socket.on("close", () => resolve(false));
  });
  expect(await isWhole).toBe(true);
  socket.destroy();
});
