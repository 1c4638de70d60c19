// A linter checks the OpenAPI document, and schemathesis the running service against it: it generates requests
// of every kind from the document and checks every answer against it.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findFreePort } from "../packages/dev/src/processes/ports.ts";
import { PROJECT_DIR, TEMPORAL_CACHE_DIR } from "../packages/dev/src/project-paths.ts";
import { installPythonPackage } from "../packages/dev/src/python/install-python-package.ts";
import { type Banner, type Started, startIn } from "./fresh-clone.ts";

const SCHEMATHESIS = "4.32.5";

let folder: string;
let service: Started;
let banner: Banner;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "truerun-description-"));
  const [port, temporalPort, uiPort] = [
    await findFreePort(),
    await findFreePort(),
    await findFreePort(),
  ];
  service = startIn(PROJECT_DIR, {
    DATA_DIR: folder,
    PORT: String(port),
    TEMPORAL_PORT: String(temporalPort),
    TEMPORAL_UI_PORT: String(uiPort),
  });
  banner = await service.ready(120_000);
});
afterAll(async () => {
  service.kill("SIGTERM");
  await service.exited;
  await rm(folder, { recursive: true, force: true });
});

test("the document passes the linter", async () => {
  const response = await fetch(`${banner.apiUrl}/openapi.json`);
  const file = join(folder, "openapi.json");
  await writeFile(file, await response.text());
  const lint = await run("node_modules/.bin/redocly", ["lint", file, "--config", "redocly.yaml"]);
  expect(lint.output).toContain("Your API description is valid");
  expect(lint.output).not.toMatch(/You have \d+ warning/);
});

test("the service answers as the document says", async () => {
  const home = join(TEMPORAL_CACHE_DIR, `schemathesis-${SCHEMATHESIS}`);
  if (!existsSync(home)) {
    await installPythonPackage({ requirement: `schemathesis==${SCHEMATHESIS}`, folder: home });
  }
  const args = [
    "-m",
    "schemathesis.cli",
    "--config-file",
    "e2e/schemathesis.toml",
    "run",
    `${banner.apiUrl}/openapi.json`,
    "--no-color",
    "--header",
    `Authorization: Bearer ${banner.demoKey}`,
    // The same requests every time; other seeds, and the phase that follows links, are to be tried by hand.
    "--phases",
    "examples,coverage,fuzzing",
    "--max-examples",
    "10",
    "--seed",
    "1",
  ];
  const { code, output } = await run("python3", args, { PYTHONPATH: home });
  expect(code, output).toBe(0);
  expect(output).toMatch(/\d{2,} generated/);
});

async function run(
  command: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<{ code: number; output: string }> {
  const options = {
    cwd: PROJECT_DIR,
    env: { ...process.env, ...environment },
    maxBuffer: 64 * 1024 * 1024,
  };
  try {
    const { stdout, stderr } = await promisify(execFile)(command, args, options);
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: `${stdout}${stderr}` };
  }
}
