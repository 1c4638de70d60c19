import { createDatabase, type Database } from "@truerun/shared/db";
import { createTcpProxy, type TcpProxy } from "@truerun/dev/testing/tcp-proxy";
import { createTestDatabase, temporalAddress } from "@truerun/dev/testing/test-services";
import {
  createTestOrg,
  publishTransform,
  startTestGateway,
  type TestGateway,
  type TestOrg,
} from "./test-gateway.ts";

/** What the tests of one file share: a database, two gateways on it, and two orgs. */
export interface TestRig {
  databaseUrl: string;
  db: Database;
  /** Two gateways that share nothing but Postgres and Temporal. */
  gateways: readonly [TestGateway, TestGateway];
  org: TestOrg;
  otherOrg: TestOrg;
  /** These proxies stand between both gateways and their Temporal and Postgres. */
  temporalProxy: TcpProxy;
  databaseProxy: TcpProxy;
  close(): Promise<void>;
}

export async function createTestRig(environment: Record<string, string> = {}): Promise<TestRig> {
  const database = await createTestDatabase();
  const db = createDatabase({ url: database.url, poolSize: 5, applicationName: "test" });
  const address = new URL(database.url);
  const temporal = new URL(`tcp://${temporalAddress()}`);
  const databaseProxy = await createTcpProxy({ targetPort: Number(address.port) });
  const temporalProxy = await createTcpProxy({ targetPort: Number(temporal.port) });
  address.host = `127.0.0.1:${databaseProxy.port}`;
  const start = () =>
    startTestGateway({
      DATABASE_URL: address.href,
      TEMPORAL_ADDRESS: `127.0.0.1:${temporalProxy.port}`,
      TEMPORAL_TASK_QUEUE: `test-${databaseProxy.port}`,
      ...environment,
    });
  const gateways = [await start(), await start()] as const;
  await publishTransform(db);
  return {
    databaseUrl: database.url,
    db,
    gateways,
    org: await createTestOrg(db),
    otherOrg: await createTestOrg(db),
    temporalProxy,
    databaseProxy,
    async close() {
      await Promise.all(gateways.map((gateway) => gateway.stop()));
      await db.$disconnect();
      await temporalProxy.close();
      await databaseProxy.close();
      await database.drop();
    },
  };
}
