import { parseOrFaults } from "@truerun/shared/contracts/faults";
import type { Request, RequestHandler, Response } from "express";
import type { EndpointServices } from "../dependencies.ts";
import type { Admission, LoadClass, Place } from "./admission.ts";
import { ApiError, invalidRequest, notAuthenticated, notFound } from "./errors.ts";
import type { Caller } from "./turns.ts";
import type { Authenticator, Credential } from "./authenticate.ts";
import type { Answer, Endpoint } from "./define-endpoint.ts";
import { NO_BODY } from "./parse-json-body.ts";
import { assertWithinRate, type RateLimiter } from "./rate-limit.ts";
import { type BodyReader, hasBody } from "./read-body.ts";
import { createRouteMatcher, type PathParam, type Route } from "./route-matcher.ts";
import { toQueryLists } from "./query.ts";

/** The load class of endpoints that name none. */
const DEFAULT_LOAD = "others";
/** A smaller answer is the system's to send at once, whether or not its caller reads. */
const LARGE_ANSWER = 64 * 1024;
/** Requests that have changed nothing: they may be refused although they are done. */
const READS: ReadonlySet<string> = new Set(["GET", "HEAD"]);

interface Serving {
  services: EndpointServices;
  authenticator: Authenticator;
  bodyReader: BodyReader;
  admission: Readonly<Record<LoadClass, Admission>>;
  /** undefined: keys have no rate limit. */
  rateLimiter: RateLimiter | undefined;
  /** How long a caller may read nothing of a large answer before its connection is cut. */
  unreadMs: number;
}

interface Found {
  endpoint: Endpoint;
  params: ReadonlyMap<string, PathParam>;
}

/** Serves the URL map: route, credential, rate, a place, scope, body, then the endpoint, in this order. */
export function serveRoutes(routes: readonly Route<Endpoint>[], serving: Serving): RequestHandler {
  const match = createRouteMatcher(routes);
  return async (req, res) => {
    const [path, query] = splitTarget(req.url);
    const found = match(req.method, path);
    switch (found.kind) {
      case "no_route":
        throw notFound();
      case "wrong_method": {
        const headers = { Allow: found.allow.join(", ") };
        const message = `The method ${req.method} is not allowed here.`;
        throw new ApiError("method_not_allowed", { message, headers });
      }
      case "found": {
        note(res, { operation: found.target.operationId });
        const target = { endpoint: found.target, params: found.params };
        write(res, await serve(serving, target, { req, res, query }), serving);
      }
    }
  };
}

/** Splits a request target, which the server has brought into origin form, into path and query. */
function splitTarget(target: string): [path: string, query: string] {
  const mark = target.indexOf("?");
  return mark === -1 ? [target, ""] : [target.slice(0, mark), target.slice(mark + 1)];
}

interface Exchange {
  req: Request;
  res: Response;
  query: string;
}

async function serve(serving: Serving, found: Found, exchange: Exchange): Promise<Answer> {
  const { authenticator, rateLimiter } = serving;
  if (found.endpoint.access === "public")
    return call(serving, found, { ...exchange, credential: null, place: null });
  const credential = authenticator.read(exchange.req.headers.authorization);
  if (rateLimiter !== undefined) await assertWithinRate(rateLimiter, authenticator, credential);
  const { load = DEFAULT_LOAD } = found.endpoint;
  const place = enter(serving, found.endpoint, { ...exchange, credential });
  let isDone = false;
  try {
    const scope = found.endpoint.access === "any_key" ? null : found.endpoint.access;
    const readsBody = found.endpoint.body !== undefined && hasBody(exchange.req);
    if (scope !== null || (readsBody && !authenticator.wasGood(credential))) {
      await authenticator.lookUp(credential, scope, load);
    }
    const answer = await call(serving, found, { ...exchange, credential, place });
    if (credential.orgId === null) throw new Error("the endpoint did not check the key");
    holdUntilSent(place, answer, exchange);
    isDone = answer.status < 400 && answer.headers?.["Idempotent-Replayed"] === undefined;
    return answer;
  } catch (error) {
    // A request that fails before its own statement runs must not tell a revoked key more than 401.
    if (error instanceof ApiError && error.status < 500 && credential.orgId === null) {
      if (error.status !== 401) await authenticator.lookUp(credential, null, load);
    }
    throw error;
  } finally {
    place.leave(isDone);
    if (credential.orgId !== null) note(exchange.res, { orgId: credential.orgId });
  }
}

/** What callers do not read stays in memory. */
function holdUntilSent(place: Place, { text }: Answer, { req, res }: Exchange): void {
  const bytes = text === undefined ? 0 : Buffer.byteLength(text);
  if (res.destroyed || !mayStay(res, bytes)) return;
  res.once("close", place.holdAnswer(bytes, READS.has(req.method)));
}

/** Whether an answer may have to wait for its caller: it is large, or others on its connection come before it. */
function mayStay(res: Response, bytes: number): boolean {
  return bytes >= LARGE_ANSWER || res.socket === null;
}

/** Called before the database is asked and the body is read, so that a refused request costs neither. */
function enter(
  { admission, bodyReader }: Serving,
  { body, load = DEFAULT_LOAD }: Endpoint,
  { req, credential }: Exchange & { credential: Credential },
): Place {
  const bodyBytes = body === undefined ? 0 : bodyReader.mostBytes(req);
  return admission[load].enter(credential, bodyBytes);
}

interface Call extends Exchange {
  /** Null for a public endpoint, as is `place`. */
  credential: Credential | null;
  place: Place | null;
}

async function call(
  { services, authenticator, bodyReader }: Serving,
  { endpoint, params }: Found,
  { req, res, query, credential, place }: Call,
): Promise<Answer> {
  const body = endpoint.body === undefined ? NO_BODY : await bodyReader.read(req, res);
  place?.hasRead("bytes" in body ? body.bytes.byteLength : 0);
  await place?.turn(toCaller(res));
  const parsed =
    endpoint.query === undefined
      ? { value: undefined }
      : parseOrFaults(endpoint.query, toQueryLists(query, endpoint.query), ["query"]);
  if ("faults" in parsed) throw invalidRequest(parsed.faults);
  const request = {
    headers: req.headers,
    param: (name: string) => toParam(params, name),
    query: parsed.value as never,
    body,
    get credential() {
      if (credential === null) throw notAuthenticated();
      return credential;
    },
    confirm(orgId: string | null | undefined) {
      return authenticator.confirm(this.credential, orgId);
    },
    endTurn: () => place?.endTurn(),
    note: (facts: Readonly<Record<string, string>>) => note(res, facts),
  };
  return endpoint.handler(request, services);
}

function toCaller(res: Response): Caller {
  return {
    isGone: () => res.destroyed,
    onGone(listener) {
      res.once("close", listener);
      return () => res.off("close", listener);
    },
  };
}

function toParam(params: ReadonlyMap<string, PathParam>, name: string): PathParam {
  const param = params.get(name);
  if (param === undefined) throw new Error(`The route has no parameter ${name}`);
  return param;
}

function note(res: Response, facts: Readonly<Record<string, string>>): void {
  Object.assign(res.locals, facts);
}

function write(res: Response, answer: Answer, { unreadMs }: Serving): void {
  res.status(answer.status);
  if (answer.headers !== undefined) res.set(answer.headers);
  if (answer.text === undefined) {
    res.end();
    return;
  }
  const bytes = typeof answer.text === "string" ? Buffer.from(answer.text) : answer.text;
  if (mayStay(res, bytes.byteLength)) res.setTimeout(unreadMs, () => res.destroy());
  res.set("Content-Type", answer.contentType ?? "application/json; charset=utf-8");
  res.set("Content-Length", String(bytes.byteLength));
  // Not Express's `send`: it answers `If-None-Match: *` with 304, though nothing here has an ETag.
  res.end(bytes);
}
