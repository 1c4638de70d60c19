/** What came of a request. `lost`: its fate is unknown. */
export type Reply =
  | { kind: "answer"; status: number; text: string; sentAt: number; doneAt: number }
  | { kind: "lost"; reason: string; sentAt: number; doneAt: number };

export interface Api {
  /** Asks one of the gateways, by number. Never rejects. */
  request(gateway: number, request: ApiRequest): Promise<Reply>;
}

export interface ApiRequest {
  method: "GET" | "POST" | "PUT";
  path: string;
  /** Whose request it is. */
  apiKey: string;
  idempotencyKey?: string | null;
  body?: unknown;
}

/** Longer than any answer of the service is promised to take. */
const GIVE_UP_AFTER_MS = 15_000;

export function createApi(gatewayUrls: readonly string[]): Api {
  return {
    async request(gateway, request) {
      const sentAt = Date.now();
      try {
        const response = await fetch(`${gatewayUrls[gateway]}${request.path}`, toInit(request));
        const text = await response.text();
        return { kind: "answer", status: response.status, text, sentAt, doneAt: Date.now() };
      } catch (error) {
        return { kind: "lost", reason: explain(error), sentAt, doneAt: Date.now() };
      }
    },
  };
}

function toInit({ method, apiKey, idempotencyKey, body }: ApiRequest): RequestInit {
  return {
    method,
    signal: AbortSignal.timeout(GIVE_UP_AFTER_MS),
    headers: {
      authorization: `Bearer ${apiKey}`,
      ...(idempotencyKey == null ? {} : { "idempotency-key": idempotencyKey }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
