import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createTcpProxy, type TcpProxy } from "./tcp-proxy.ts";
import { waitFor } from "./wait-for.ts";

let server: Server;
let proxy: TcpProxy;
let client: Socket;
let received = "";

beforeEach(async () => {
  received = "";
  server = createServer((socket) => {
    socket.on("data", (chunk) => (received += String(chunk)));
    socket.on("error", () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  proxy = await createTcpProxy({ targetPort: (server.address() as AddressInfo).port });
  client = connect(proxy.port, "127.0.0.1");
  client.setNoDelay(true);
  await send("begin ");
  await arrived("begin ");
});
afterEach(async () => {
  client.destroy();
  await proxy.close();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

/** Resolves once the text has reached the proxy. */
async function send(text: string): Promise<void> {
  await new Promise<void>((resolve) => client.write(text, () => setTimeout(resolve, 20)));
}

const arrived = (text: string) => waitFor(`"${text}"`, () => received === text, 2_000);

test("what a slow link holds back comes before what is sent when it is fast again", async () => {
  proxy.slow(60_000);
  await send("slow ");
  proxy.restore();
  await send("fast");
  await arrived("begin slow fast");
});

test("what a frozen link holds back comes before what is sent when it is only slow", async () => {
  proxy.freeze();
  await send("held ");
  expect(received).toBe("begin ");
  proxy.slow(50);
  await send("slow");
  await arrived("begin held slow");
});

test("what is on its way over a slow link when it freezes waits for its end", async () => {
  proxy.slow(30);
  await send("slow ");
  proxy.freeze();
  await send("frozen");
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(received).toBe("begin ");
  proxy.restore();
  await arrived("begin slow frozen");
});
