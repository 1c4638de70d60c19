import { createTcpProxy } from "@truerun/dev/testing/tcp-proxy";
import { temporalAddress } from "@truerun/dev/testing/test-services";
import { useTestDatabase } from "@truerun/dev/testing/use-test-database";
import { waitFor } from "@truerun/dev/testing/wait-for";
import { createLogger } from "@truerun/shared/logger";
import { createTemporalClient, type TemporalClient } from "@truerun/shared/temporal-connection";
import { test } from "vitest";
import { startReconciler } from "./start-reconciler.ts";

const { db } = useTestDatabase({ poolSize: 5 });

function connect(address: string): TemporalClient {
  return createTemporalClient({ TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: "default" });
}

/** A process's reconciler with one loop, which writes down who leads. */
function start(name: string, temporal: TemporalClient, led: string[]) {
  const pass = async (): Promise<boolean> => {
    led.push(name);
    return false;
  };
  return startReconciler({
    db,
    logger: createLogger({ name: "test", level: "silent" }),
    metrics: { passDuration: () => undefined },
    loops: [{ name: "loop", intervalMs: 100, pass }],
    client: temporal.client,
  });
}

test("a leader whom Temporal does not answer is replaced within ten seconds; alone, it goes on", async () => {
  const proxy = await createTcpProxy({ targetPort: Number(temporalAddress().split(":")[1]) });
  const [far, near] = [connect(`127.0.0.1:${proxy.port}`), connect(temporalAddress())];
  const led: string[] = [];
  const cutOff = start("far", far, led);
  await waitFor("the first to lead", () => led.includes("far"));
  const other = start("near", near, led);
  proxy.freeze();
  await waitFor("the second to lead", () => led.includes("near"), 10_000);

  await other.stop();
  led.length = 0;
  await waitFor("the first to lead again", () => led.includes("far"));
  proxy.restore();
  await cutOff.stop();
  await Promise.all([far.close(), near.close()]);
  await proxy.close();
});
