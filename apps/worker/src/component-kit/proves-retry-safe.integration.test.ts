import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import transform from "../components/transform.ts";
import { createLedger, NotRetrySafeError, provesRetrySafe } from "./proves-retry-safe.ts";
import type { Scenario } from "./retry-safety-report.ts";
import unsafePost, { type WAYS } from "./testing/unsafe-post.ts";

const file = new URL("testing/unsafe-post.ts", import.meta.url);
const ledger = createLedger();

/** GET tells how often a path was posted to; POST is done once per Idempotency-Key, a repeat is answered 409. */
const server = createServer((request, response) => void answer(request, response));

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const idempotencyKey = decodeURIComponent(request.url?.slice(1) ?? "");
  const before = (await ledger.effects(idempotencyKey)).length;
  if (request.method === "GET") {
    // Long enough for another attempt to ask as well.
    setTimeout(() => response.end(String(before)), 500);
    return;
  }
  const recognizedBy = request.headers["idempotency-key"]?.toString();
  await ledger.record({ idempotencyKey, effect: "order", recognizedBy });
  const isRepeat = before > 0 && (await ledger.effects(idempotencyKey)).length === before;
  response.writeHead(isRepeat ? 409 : 201).end();
}

beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function prove(way: (typeof WAYS)[number]): Promise<unknown> {
  const { port } = server.address() as AddressInfo;
  return provesRetrySafe(unsafePost, {
    input: (key) => ({ url: `http://127.0.0.1:${port}/${encodeURIComponent(key)}`, way }),
    ledger,
    file,
  }).catch((error: unknown) => error);
}

/** Three times where two attempts time out. */
const TWICE = /^"order" happened [23]×, not 1×$/;
const REPEATED: Scenario[] = [
  "killed during the effect",
  "killed after the effect",
  "delivered twice",
  "timed out during the effect",
];

interface Unsafe {
  way: (typeof WAYS)[number];
  fault: RegExp;
  /** The scenarios in which it shows. */
  always: readonly Scenario[];
  /** Those in which it shows when one attempt is quicker than the other. */
  sometimes?: readonly Scenario[];
}

const unsafe: Unsafe[] = [
  { way: "id_of_the_attempt", fault: TWICE, always: REPEATED },
  { way: "looks_before_it_leaps", fault: TWICE, always: ["delivered twice"] },
  {
    way: "trusts_the_first_attempt",
    fault: /^"order" happened 0×, not 1×$/,
    always: ["killed before the effect"],
  },
  {
    way: "fails_on_a_repeat",
    fault: /^the run ended failed, not completed: was there already$/,
    always: REPEATED.filter((scenario) => scenario !== "delivered twice"),
    sometimes: ["delivered twice"],
  },
  {
    way: "tries_again_by_itself",
    fault: TWICE,
    always: ["canceled during the effect"],
    sometimes: ["timed out during the effect"],
  },
];

describe.concurrent("a component is shown to be not retry safe that", () => {
  test.each(unsafe)("$way", async ({ way, fault, always, sometimes = [] }) => {
    const error = await prove(way);
    if (!(error instanceof NotRetrySafeError)) throw new Error("held to be safe", { cause: error });
    const { scenarios } = error.report;
    const found = scenarios.filter((each) => each.fault !== null);
    const names = found.map(({ scenario }) => scenario);
    expect(names).toEqual(expect.arrayContaining([...always]));
    expect([...always, ...sometimes]).toEqual(expect.arrayContaining(names));
    for (const each of found) {
      expect(each.fault).toMatch(fault);
      expect(error.message).toContain(`  ${each.scenario}: ${each.fault} (${each.idempotencyKey})`);
    }
    for (const { scenario, attempts } of scenarios) {
      if (/killed|twice/.test(scenario)) expect(attempts, scenario).toBeGreaterThan(1);
    }
  });
});

describe("nothing is proved", () => {
  test("of a component without an effect in the ledger", async () => {
    const work = provesRetrySafe(transform, { input: (key) => ({ value: key }), ledger });
    await expect(work).rejects.toThrow("Without any fault the ledger shows no effect for cbwr_");
  });

  test("of one that fails by itself", async () => {
    const input = () => ({ url: "no url", way: "id_of_the_attempt" }) as const;
    const work = provesRetrySafe(unsafePost, { input, ledger, file });
    await expect(work).rejects.toThrow("Without any fault the run ended failed: Failed to parse");
  });

  test("of a file that is another component, or none", async () => {
    const input = () => ({ value: 1 });
    await expect(provesRetrySafe(transform, { input, ledger, file })).rejects.toThrow(
      "unsafe-post.ts holds the action unsafe_post, not transform",
    );
    const none = new URL("effect-ledger.ts", import.meta.url);
    await expect(provesRetrySafe(transform, { input, ledger, file: none })).rejects.toThrow(
      "effect-ledger.ts: its default export is not made by defineComponent",
    );
  });
});
