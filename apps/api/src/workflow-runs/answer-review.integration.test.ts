// What an answer leaves behind that nobody took in time.
import { temporalAddress } from "@truerun/dev/testing/test-services";
import { newId } from "@truerun/shared/ids";
import { pause } from "@truerun/shared/pause";
import { createTemporalClient } from "@truerun/shared/temporal-connection";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { answerReview } from "./answer-review.ts";

/** More than the ten that Temporal lets wait for one workflow execution. */
const ANSWERS = 30;
/** Longer than the pauses, the SDK's too, after which a call would be made again. */
const QUIET_MS = 2_000;

const PREFACE_BYTES = 24;
const FRAME_HEADER_BYTES = 9;
const HEADERS = 1;

/** Counts the calls that one HTTP/2 connection sends: each begins with a HEADERS frame. */
function createCallCounter(): { add(chunk: Buffer): number } {
  let skip = PREFACE_BYTES;
  let rest = Buffer.alloc(0);
  return {
    add(chunk) {
      rest = Buffer.concat([rest, chunk]);
      let calls = 0;
      while (rest.length >= skip + FRAME_HEADER_BYTES) {
        rest = rest.subarray(skip);
        if (rest[3] === HEADERS) calls += 1;
        skip = FRAME_HEADER_BYTES + rest.readUIntBE(0, 3);
      }
      return calls;
    },
  };
}

/** A way to Temporal that counts the calls that go through it. */
async function createCountingProxy() {
  const target = new URL(`tcp://${temporalAddress()}`);
  const sockets: Socket[] = [];
  let calls = 0;
  const server = createServer((incoming) => {
    const outgoing = connect(Number(target.port), target.hostname);
    sockets.push(incoming, outgoing);
    const counter = createCallCounter();
    incoming.on("data", (chunk) => {
      calls += counter.add(chunk);
    });
    incoming.pipe(outgoing).pipe(incoming);
    for (const each of [incoming, outgoing]) each.on("error", () => undefined);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: () => calls,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

test("answers that no worker took in time are given up: Temporal is not called for them any more", async () => {
  const proxy = await createCountingProxy();
  const temporal = createTemporalClient({
    TEMPORAL_ADDRESS: proxy.address,
    TEMPORAL_NAMESPACE: "default",
  });
  const { client } = temporal;
  const id = newId("cbwr");
  await client.workflow.start("x", { workflowId: id, taskQueue: "nobody" });
  const results = await Promise.all(
    Array.from({ length: ANSWERS }, (_, index) =>
      answerReview({ client }, id, {
        step_key: "review",
        decision: "approve",
        comment: String(index),
        decided_by: "key",
      }),
    ),
  );
  expect(new Set(results.map(({ kind }) => kind))).toEqual(new Set(["unavailable"]));
  // What was sent at the last moment is on its way.
  await pause(300);
  const before = proxy.calls();
  expect(before).toBeGreaterThan(ANSWERS);
  await pause(QUIET_MS);
  expect(proxy.calls() - before).toBe(0);
  await client.workflow.getHandle(id).terminate();
  expect(proxy.calls() - before).toBe(1);
  await temporal.close();
  proxy.close();
});
