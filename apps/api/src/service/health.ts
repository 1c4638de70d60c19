import { z } from "zod";
import type { ApiDependencies } from "../dependencies.ts";
import { defineEndpoint, json } from "../http/define-endpoint.ts";
import { ApiError } from "../http/errors.ts";

/** How long the database and Temporal may each take to answer; probes give up soon after. */
const ANSWER_WITHIN_MS = 1_500;

const okSchema = z.strictObject({ status: z.literal("ok") }).meta({ id: "Health" });

/** Whether the process is up; depends on nothing else. */
export const healthz = defineEndpoint({
  operationId: "healthz",
  summary: "Whether the process is up",
  tag: "Service",
  access: "public",
  responses: { 200: { description: "It is", schema: okSchema } },
  errors: [],
  handler: async () => json(200, { status: "ok" }),
});

/** Whether requests can be served: the database and Temporal answer. */
export const readyz = defineEndpoint({
  operationId: "readyz",
  summary: "Whether the database and Temporal answer",
  tag: "Service",
  access: "public",
  responses: { 200: { description: "Both do", schema: okSchema } },
  errors: ["service_unavailable"],
  async handler(_request, { probe }) {
    const results = await probe();
    const silent = ["the database", "Temporal"].filter(
      (_, at) => results[at]?.status === "rejected",
    );
    if (silent.length === 0) return json(200, { status: "ok" });
    const names = silent.join(" and ");
    const message = `${names.charAt(0).toUpperCase()}${names.slice(1)} ${silent.length > 1 ? "do" : "does"} not answer.`;
    const reasons = results.flatMap((result): unknown[] =>
      result.status === "rejected" ? [result.reason] : [],
    );
    throw new ApiError("service_unavailable", {
      message,
      headers: { "Retry-After": "1" },
      cause: new AggregateError(reasons, message),
    });
  },
});

/** Asks the database and Temporal. */
export type Probe = () => Promise<PromiseSettledResult<unknown>[]>;

/** Whoever asks while a probe is under way shares its result: it needs no key, and must not keep the database busy. */
export function createProbe({
  db,
  pingTemporal,
}: Pick<ApiDependencies, "db" | "pingTemporal">): Probe {
  let underWay: ReturnType<Probe> | undefined;
  return () => {
    underWay ??= Promise.allSettled([
      within(db.$queryRaw`SELECT 1 AS one`),
      within(pingTemporal()),
    ]).finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}

async function within<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    const error = new Error(`no answer within ${ANSWER_WITHIN_MS} ms`);
    timer = setTimeout(() => reject(error), ANSWER_WITHIN_MS);
  });
  try {
    return await Promise.race([answer, silence]);
  } finally {
    clearTimeout(timer);
  }
}
