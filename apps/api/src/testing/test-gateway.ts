import http from "node:http";
import { generateApiKey } from "@truerun/shared/api-keys";
import type { JsonObject } from "@truerun/shared/contracts/json";
import type { Database } from "@truerun/shared/db";
import { newId } from "@truerun/shared/ids";
import { createLogger } from "@truerun/shared/logger";
import { readConfig } from "../config.ts";
import { type Gateway, startGateway } from "../gateway.ts";

interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  text: string;
  /** The parsed body; an empty object when it is not a JSON object. */
  json: Record<string, unknown>;
}

export interface SendOptions {
  key?: string | null;
  headers?: Record<string, string>;
  /** Texts and bytes are sent as they are, any other value as JSON. */
  body?: unknown;
  /** For tests that depend on kept-alive connections. */
  agent?: http.Agent;
}

export interface TestGateway extends Gateway {
  /** One raw exchange: the path is sent exactly as written. */
  send(method: string, path: string, options?: SendOptions): Promise<Answer>;
}

/** Starts a gateway on a free port, as `main` would. */
export async function startTestGateway(environment: {
  DATABASE_URL: string;
  TEMPORAL_ADDRESS: string;
  [name: string]: string;
}): Promise<TestGateway> {
  const config = readConfig({ PORT: "0", ...environment });
  const logger = createLogger({ name: "test-api", level: environment["LOG_LEVEL"] ?? "silent" });
  const gateway = await startGateway(config, logger);
  return { ...gateway, send: (...args) => sendTo(gateway.port, ...args) };
}

function toPayload(body: unknown): string | Uint8Array | undefined {
  if (body === undefined || typeof body === "string" || body instanceof Uint8Array) return body;
  return JSON.stringify(body);
}

/** One raw exchange with the gateway at `port`. */
export async function sendTo(
  port: number,
  method: string,
  path: string,
  { key, headers, body, agent }: SendOptions = {},
): Promise<Answer> {
  const payload = toPayload(body);
  const all = {
    ...(typeof key === "string" ? { authorization: `Bearer ${key}` } : {}),
    ...(payload === undefined ? {} : { "content-type": "application/json" }),
    ...(payload === undefined || headers?.["transfer-encoding"] !== undefined
      ? {}
      : { "content-length": Buffer.byteLength(payload) }),
    ...headers,
  };
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        host: "127.0.0.1",
        port,
        method,
        path,
        headers: all,
        ...(agent === undefined ? {} : { agent }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          const { statusCode: status = 0, headers } = response;
          resolve({ status, headers, text, json: toJson(text) });
        });
      },
    );
    request.on("error", reject);
    request.end(payload);
  });
}

function toJson(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

export interface TestOrg {
  orgId: string;
  /** Text of a key that may do everything; `plainKey`: of one without scopes. */
  key: string;
  plainKey: string;
  keyId: string;
}

/** An org of the test's own, with two keys. */
export async function createTestOrg(db: Database): Promise<TestOrg> {
  const orgId = newId("cborg");
  await db.organization.create({ data: { id: orgId, name: orgId } });
  const { key, keyId } = await createTestKey(db, { orgId, scopes: ["workflows:write"] });
  const plain = await createTestKey(db, { orgId, scopes: [] });
  return { orgId, key, keyId, plainKey: plain.key };
}

export async function createTestKey(
  db: Database,
  { orgId, scopes }: { orgId: string; scopes: string[] },
): Promise<{ key: string; keyId: string }> {
  const { text, hash } = generateApiKey();
  const keyId = newId("cbak");
  await db.apiKey.create({ data: { id: keyId, orgId, name: "test", keyHash: hash, scopes } });
  return { key: text, keyId };
}

/** A definition with one component, whose output is its value. */
export function echo(value: unknown = "${{ input }}"): JsonObject {
  return {
    components: [
      { key: "shape", name: "Shape", action: "transform", with: { value: value as string } },
    ],
  };
}

/** Publishes `transform`, as a worker would. */
export async function publishTransform(db: Database): Promise<void> {
  await db.componentType.create({
    data: {
      actionType: "transform",
      title: "Transform",
      description: "Gives back its value",
      inputSchema: {
        type: "object",
        properties: { value: {} },
        required: ["value"],
        additionalProperties: false,
      },
      outputSchema: {},
      defaults: {
        timeout: "10s",
        retry: {
          max_attempts: 5,
          initial_interval: "1s",
          backoff_coefficient: 2,
          max_interval: "1m",
        },
      },
    },
  });
}
