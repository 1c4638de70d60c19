import { defineConfig } from "vitest/config";

// Workspace packages are read from their sources, not from what was built of them.
const resolve = { conditions: ["source", "module", "node", "development|production"] };
const common = { retry: 0, allowOnly: false, passWithNoTests: false } as const;
/**
 * Of tests with real servers, on machines of CI that others use as well: what hung there once may pass at a second
 * try, and is marked `retry x1` in the report. By hand there is none.
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
          // The SDK's mock environment and its native parts do not live in threads.
          pool: "forks",
          // Modules are loaded once, not for each file: most of the time went there. Nothing in them keeps state.
          isolate: false,
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
          // More than cores: mostly they wait for timers and timeouts of Temporal's.
          maxWorkers: 3,
          // Of tests that wait rather than work. Each has its own processes.
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
          maxWorkers: 2,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
