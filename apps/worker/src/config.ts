import {
  booleanText,
  databaseEnv,
  dispatchEnv,
  integerText,
  listenEnv,
  logEnv,
  temporalEnv,
} from "@truerun/shared/config";
import { z } from "zod";
import { componentsEnv } from "./components-config.ts";

const fixedVariables = z.object({
  ...databaseEnv,
  ...temporalEnv,
  ...logEnv,
  ...dispatchEnv,
  ...listenEnv,
  /**
   * Maximum connections of the process. Half of them are the mirror's; with fewer than four, its loops would wait
   * for each other.
   */
  DATABASE_POOL_SIZE: integerText(4, 1_000).default(10),
  /** Component activities that run at the same time in this process. */
  WORKER_MAX_ACTIVITIES: integerText(1, 10_000).default(100),
  /** While this process handles this many workflow tasks, it asks for no more. */
  WORKER_MAX_WORKFLOW_TASKS: integerText(1, 1_000).default(4),
  /** Open runs whose state stays in this process's memory; default: by its heap. */
  WORKER_MAX_CACHED_WORKFLOWS: integerText(20, 100_000).optional(),
  /** Whether traffic between this process and Temporal is compressed. */
  TEMPORAL_GZIP: booleanText.default(false),
  /** Folder of the declarations of external components; default: the repository's own. */
  EXTERNAL_COMPONENTS_DIR: z.string().optional(),
  /** How long running components have after SIGTERM to finish before they are interrupted. */
  WORKER_SHUTDOWN_GRACE_MS: integerText(0, 3_600_000).default(20_000),
});

/** The worker's configuration. The README's table lists all of it. */
export const workerConfig = z.intersection(fixedVariables, componentsEnv);

export type WorkerConfig = z.output<typeof workerConfig>;
