// One Postgres and one Temporal for all integration tests together, in a folder of their own.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { migrate } from "../migrations/migrate.ts";
import { startPostgres } from "../postgres/start-postgres.ts";
import { findFreePort } from "../processes/ports.ts";
import { PRISMA_DIR, TEMPORAL_CACHE_DIR } from "../project-paths.ts";
import { findTemporal } from "../temporal/find-temporal.ts";
import { startTemporal } from "../temporal/start-temporal.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Of a migrated database, which `createTestDatabase` copies. */
    templateUrl: string;
    /** `host:port` */
    temporalAddress: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "truerun-test-"));
  await mkdir(join(folder, "logs"));
  const [postgresPort, temporalPort] = [await findFreePort(), await findFreePort()];
  const cliPath = await findTemporal({
    cliPath: process.env["TEMPORAL_CLI_PATH"],
    cacheDir: TEMPORAL_CACHE_DIR,
  });
  const [postgres, temporal] = await Promise.all([
    startPostgres({
      dataDir: join(folder, "postgres"),
      port: postgresPort,
      logFile: join(folder, "logs", "postgres.log"),
      // The cluster is thrown away, so nothing has to reach the disk. No result may depend on the server's time zone.
      settings: [
        "fsync=off",
        "full_page_writes=off",
        "max_connections=500",
        "timezone=Asia/Kathmandu",
        "datestyle=German",
      ],
    }),
    startTemporal({
      cliPath,
      dbFile: join(folder, "temporal.db"),
      port: temporalPort,
      uiPort: null,
      namespace: "default",
      logFile: join(folder, "logs", "temporal.log"),
      // Off by default, but a server of others may have it.
      dynamicConfig: ["frontend.WorkflowPauseEnabled=true"],
    }),
  ]);
  const tearDown = async (): Promise<void> => {
    await Promise.all([postgres.stop(), temporal.stop()]);
    await rm(folder, { recursive: true, force: true });
  };
  const templateUrl = postgres.url("truerun_template");
  try {
    await migrate({ url: templateUrl, prismaDir: PRISMA_DIR });
  } catch (error) {
    // Nobody else would end what was started here.
    await tearDown();
    throw error;
  }
  project.provide("templateUrl", templateUrl);
  project.provide("temporalAddress", temporal.address);
  return tearDown;
}
