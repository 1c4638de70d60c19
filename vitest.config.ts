import { defineConfig } from "vitest/config";

// Workspace packages are loaded from their sources, not from their build output.
const resolve = { conditions: ["source", "module", "node", "development|production"] };
const common = { retry: 0, allowOnly: false, passWithNoTests: false } as const;
/**
 * For tests with real servers. CI's machines are shared: a test that failed there may pass at a second try, and is
 * marked `retry x1` in the report. Elsewhere there is none.
 */
const realServers = { ...common, retry: process.env["CI"] === undefined ? 0 : 1 };

export default defineConfig({
  test: {
    ...common,
    projects: [
      {
        resolve,
        ssr: { resolve },
        test: {
          ...common,
          name: "unit",
          sequence: { groupOrder: 0 },
          include: ["**/src/**/*.test.ts"],
          exclude: ["**/*.integration.test.ts", "**/node_modules/**"],
          // The SDK's mock environment and its native parts do not work in threads.
          pool: "forks",
          // Modules are loaded once instead of for each file, which took most of the time. None keeps state.
          isolate: false,
          // Vitest leaves one core alone, which is half of two.
          maxWorkers: "100%",
          // Hostile input takes seconds by intent, and longer on a busy machine.
          testTimeout: 30_000,
        },
      },
      {
        resolve,
        ssr: { resolve },
        test: {
          ...realServers,
          name: "integration",
          sequence: { groupOrder: 1 },
          include: ["**/src/**/*.integration.test.ts"],
          globalSetup: ["packages/dev/src/testing/global-setup.ts"],
          pool: "forks",
          // As for the unit tests: each file took seconds to load.
          isolate: false,
          // May exceed the cores: the tests mostly wait for Temporal's timers and timeouts.
          maxWorkers: 4,
          // Concurrent tests wait rather than work. Each has its own processes.
          maxConcurrency: 2,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        resolve,
        ssr: { resolve },
        test: {
          ...realServers,
          name: "e2e",
          sequence: { groupOrder: 2 },
          include: ["e2e/*.e2e.test.ts"],
          pool: "forks",
          maxWorkers: 3,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
