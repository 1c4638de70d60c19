// Every secret of the service is a canary here; after a run that used them, each is looked for everywhere.
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestSmtpServer } from "../apps/worker/src/outbound-smtp/testing/test-smtp-server.ts";
import { findFreePort } from "../packages/dev/src/processes/ports.ts";
import { PROJECT_DIR } from "../packages/dev/src/project-paths.ts";
import { waitFor } from "../packages/dev/src/testing/wait-for.ts";
import { createDatabase, type Database } from "../packages/shared/src/db.ts";
import { createEncryptionCodec } from "../packages/shared/src/payloads/encryption-codec.ts";
import { parseEncryptionKey } from "../packages/shared/src/payloads/encryption-key.ts";
import { createTemporalClient } from "../packages/shared/src/temporal-connection.ts";
import { type Banner, type Started, startIn } from "./fresh-clone.ts";

const exec = promisify(execFile);

/** A secret, in every form in which it could have slipped out. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, "utf8");
  const hidden = [bytes.toString("base64").replace(/=+$/, ""), bytes.toString("hex")];
  const raw = Buffer.from(secret, "base64").toString("latin1");
  return [secret, encodeURIComponent(secret), ...hidden, ...(raw.length >= 24 ? [raw] : [])];
}

const payloadKey = randomBytes(32).toString("base64");
const webhookBytes = randomBytes(32).toString("base64");
const mailPassword = `mail-${randomBytes(16).toString("hex")}`;
const webhookSecrets = [
  `whsec_${webhookBytes}`,
  `text-${randomBytes(16).toString("hex")}`,
] as const;
/** Not secret, and stored: that it is found proves that the search works. */
const known = `known-${randomBytes(8).toString("hex")}`;

let folder: string;
let service: Started;
let banner: Banner;
let mail: TestSmtpServer;
let receiver: Server;
let db: Database;
let apiKey: string;
let databasePassword: string;
let temporalAddress: string;
let metricsPort: number;
const signed: IncomingHttpHeaders[] = [];
/** Bodies and headers of all answers. */
const answers: string[] = [];

beforeAll(async () => {
  mail = await TestSmtpServer.listen({
    onAuth: ({ username, password }, _, done) =>
      username === "mailer" && password === mailPassword
        ? done(null, { user: username })
        : done(new Error("wrong")),
  });
  receiver = createServer(({ headers, url }, response) => {
    signed.push(headers);
    response.writeHead(url === "/bad" ? 500 : 200).end("what came back");
  });
  await once(receiver.listen(0, "127.0.0.1"), "listening");
  folder = await mkdtemp(join(tmpdir(), "truerun-secrets-"));
  const temporalPort = await findFreePort();
  temporalAddress = `127.0.0.1:${temporalPort}`;
  metricsPort = await findFreePort();
  const [port, uiPort] = [await findFreePort(), await findFreePort()];
  service = startIn(PROJECT_DIR, {
    DATA_DIR: folder,
    PORT: String(port),
    TEMPORAL_PORT: String(temporalPort),
    TEMPORAL_UI_PORT: String(uiPort),
    METRICS_PORT: String(metricsPort),
    LOG_LEVEL: "trace",
    HTTP_ALLOWED_PRIVATE_HOSTS: "127.0.0.1",
    PAYLOAD_ENCRYPTION_KEY: payloadKey,
    WEBHOOK_SECRET_BYTES: webhookSecrets[0],
    WEBHOOK_SECRET_TEXT: webhookSecrets[1],
    SMTP_URL: `smtp://mailer:${mailPassword}@127.0.0.1:${mail.port}`,
    EMAIL_FROM: "service@example.com",
  });
  banner = await service.ready(120_000);
  const runtime = await readFile(join(folder, "runtime.json"), "utf8");
  const { databaseUrl } = JSON.parse(runtime) as { databaseUrl: string };
  databasePassword = new URL(databaseUrl).password;
  db = createDatabase({ url: databaseUrl, poolSize: 1, applicationName: "test" });
  const args = ["run", "--silent", "key", "--", "--org", "secrets", "--scopes", "workflows:write"];
  const env = { ...process.env, DATA_DIR: folder };
  apiKey = (await exec("npm", args, { cwd: PROJECT_DIR, env })).stdout.trim();
});
afterAll(async () => {
  await db?.$disconnect();
  service.kill("SIGTERM");
  await service.exited;
  await mail.close();
  receiver.closeAllConnections();
  receiver.close();
  await rm(folder, { recursive: true, force: true });
});

async function send(
  method: string,
  path: string,
  body?: unknown,
): Promise<Record<string, unknown>> {
  const response = await fetch(`${banner.apiUrl}${path}`, {
    method,
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  answers.push(text, JSON.stringify([...response.headers]));
  return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
}

const at = (path: string): string =>
  `http://127.0.0.1:${(receiver.address() as AddressInfo).port}${path}`;

/** Uses the secrets with and without success. @returns the run's id */
async function runAll(): Promise<string> {
  const retry = { max_attempts: 2, initial_interval: "1s", max_interval: "1s" };
  const webhook = (key: string, given: object) => ({
    key,
    name: key,
    action: "send_webhook",
    with: { url: at("/good"), event_type: "test", data: known, ...given },
    retry,
    on_failure: "continue",
  });
  const email = (key: string, to: string) => ({
    key,
    name: key,
    action: "send_email",
    with: { to, subject: known, text: known },
    retry,
    on_failure: "continue",
  });
  const components = [
    webhook("bytes", { secret_name: "bytes" }),
    webhook("text", { secret_name: "text" }),
    webhook("bad_answer", { secret_name: "bytes", url: at("/bad") }),
    webhook("no_such_secret", { secret_name: "absent" }),
    email("mail", "a@example.com"),
    email("bad_mail", "a.550@example.com"),
  ];
  await send("PUT", "/v1/workflows/all-secrets", { components });
  const started = await send("POST", "/v1/workflows/all-secrets/run", { input: { known } });
  const id = String(started["workflow_run_id"]);
  await waitFor(
    "the end of the run",
    async () => {
      const path = `/v1/workflows/runs/${id}?include=input,error,details,pending`;
      return (await send("GET", path))["completed_at"] !== null;
    },
    30_000,
  );
  return id;
}

async function askAll(id: string): Promise<void> {
  const paths = [
    "/v1/workflows",
    "/v1/workflows/all-secrets",
    "/v1/workflows/runs",
    "/v1/components",
  ];
  // Where a key does not belong, but callers put it anyway.
  await send("GET", `/v1/workflows/runs?api_key=${apiKey}&known=${known}`);
  for (const path of [...paths, `/v1/workflows/runs/${id}`, "/openapi.json", "/readyz"]) {
    await send("GET", path);
  }
  await send("PUT", "/v1/workflows/wrong", { components: [{ action: "send_webhook" }] });
  for (const port of [metricsPort, metricsPort + 1]) {
    answers.push(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
  }
}

/** Every file of the data folder, except those whose purpose is to keep a secret for their owner. */
async function readDataFolder(): Promise<Map<string, string>> {
  const kept = new Set(["runtime.json", "demo-key", "postgres.password"]);
  const texts = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    if (entry.parentPath === folder && kept.has(entry.name)) {
      expect([entry.name, (await stat(path)).mode & 0o077]).toEqual([entry.name, 0]);
    } else {
      // Postgres and Temporal remove files while they run.
      const bytes = await readFile(path).catch(() => Buffer.alloc(0));
      texts.set(path.slice(folder.length + 1), bytes.toString("latin1"));
    }
  }
  return texts;
}

async function readRows(): Promise<string> {
  const tables = await db.$queryRaw<{ name: string }[]>`
    SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`;
  const texts = await Promise.all(
    tables.map(({ name }) =>
      db.$queryRawUnsafe<{ row: string }[]>(`SELECT t::text AS row FROM "${name}" t`),
    ),
  );
  return texts
    .flat()
    .map(({ row }) => row)
    .join("\n");
}

/** A run's history, decrypted. */
async function readHistory(id: string): Promise<string> {
  const key = parseEncryptionKey(payloadKey);
  if (key === null) throw new Error("The key is one");
  const temporal = createTemporalClient({
    TEMPORAL_ADDRESS: temporalAddress,
    TEMPORAL_NAMESPACE: "default",
  });
  const history = await temporal.client.workflow.getHandle(id).fetchHistory();
  await temporal.close();
  const texts: string[] = [JSON.stringify(history)];
  const codec = createEncryptionCodec([key]);
  const visit = async (value: unknown): Promise<void> => {
    if (typeof value !== "object" || value === null || value instanceof Uint8Array) return;
    if ("metadata" in value && "data" in value) {
      const [plain] = await codec.decode([value as never]);
      texts.push(Buffer.from(plain?.data ?? []).toString("latin1"));
    }
    for (const member of Object.values(value)) await visit(member);
  };
  await visit(history);
  return texts.join("\n");
}

test("a secret that was used is in no log, row, history or answer, and in no command line", async () => {
  const id = await runAll();
  await askAll(id);
  expect(signed.filter((headers) => "webhook-signature" in headers).length).toBeGreaterThanOrEqual(
    4,
  );
  expect(mail.seen.map(({ user }) => user)).toEqual(["mailer"]);

  const files = await readDataFolder();
  const { stdout: commands } = await exec("ps", ["-ww", "-eo", "args="], { maxBuffer: 2 ** 24 });
  const places = new Map([
    ...files,
    ["answers", answers.join("\n")],
    ["rows", await readRows()],
    ["history", await readHistory(id)],
    ["output", service.output()],
    ["commands", commands],
  ]);
  const find = (text: string) =>
    [...places].filter(([, content]) => content.includes(text)).map(([place]) => place);

  expect(find(known)).toEqual(expect.arrayContaining(["answers", "rows", "history"]));
  expect(find(`known=${known}`)).toContain("logs/api.log");
  expect(find(id)).toEqual(expect.arrayContaining(["logs/api.log", "logs/worker.log"]));
  expect(find(known).filter((place) => place.startsWith("temporal.db"))).toEqual([]);
  const keyHash = createHash("sha256").update(apiKey).digest("hex");
  expect(find(keyHash)).toEqual(["rows"]);

  const secrets = { apiKey, databasePassword, payloadKey, mailPassword, webhookBytes };
  for (const [name, secret] of Object.entries({ ...secrets, webhookText: webhookSecrets[1] })) {
    expect(secret.length, name).toBeGreaterThan(16);
    for (const form of formsOf(secret)) expect([name, find(form)]).toEqual([name, []]);
  }
});

describe("a process that cannot start or reach its database", () => {
  const canary = `canary${randomBytes(8).toString("hex")}`;
  const runMain = async (app: "api" | "worker", env: Record<string, string>, until: RegExp) => {
    const child = execFile(process.execPath, [`apps/${app}/dist/main.js`], {
      cwd: PROJECT_DIR,
      env: { PATH: process.env["PATH"], PORT: "0", LOG_LEVEL: "trace", ...env },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer | string) => {
        output += String(chunk);
      });
    }
    await waitFor(`${String(until)} of ${app}`, () => until.test(output), 30_000);
    child.kill("SIGKILL");
    return output;
  };

  test.each(["api", "worker"] as const)("tells nothing of the password: %s", async (app) => {
    const closed = await findFreePort();
    const good = new URL((await readRuntimeUrl()).href);
    good.password = canary;
    const away = `postgresql://someone:${canary}@127.0.0.1:${closed}/some`;
    for (const DATABASE_URL of [away, good.href]) {
      const output = await runMain(app, { DATABASE_URL }, /does not answer yet/);
      expect(output).not.toContain(canary);
    }
  });

  test.each<["api" | "worker", string, string]>([
    ["api", "PAYLOAD_ENCRYPTION_KEY", canary],
    ["worker", "PAYLOAD_ENCRYPTION_KEY", `${payloadKey},${canary}`],
    ["worker", "WEBHOOK_SECRET_X", `whsec_!${canary}`],
    ["worker", "SMTP_URL", `http://mailer:${canary}@127.0.0.1`],
    ["api", "DATABASE_URL", `mysql://someone:${canary}@127.0.0.1/x`],
  ])("tells nothing of what is wrong in it: %s %s", async (app, name, value) => {
    const env = { DATABASE_URL: "postgresql://a:b@127.0.0.1:1/c", [name]: value };
    const output = await runMain(app, env, /The configuration cannot be used/);
    await waitFor("the variable's name", () => output.includes(name));
    expect(output).not.toContain(canary);
  });
});

async function readRuntimeUrl(): Promise<URL> {
  const text = await readFile(join(folder, "runtime.json"), "utf8");
  return new URL((JSON.parse(text) as { databaseUrl: string }).databaseUrl);
}
