/** A path parameter as written in the URL, and its decoded text: null when its escapes are malformed. */
export interface PathParam {
  raw: string;
  text: string | null;
}

/** The methods that routes can have; HEAD goes wherever GET goes. */
type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** One line of the URL map. `path` is a literal path in which `{name}` stands for one segment. */
export interface Route<Target> {
  method: Method;
  path: string;
  target: Target;
}

export type RouteMatch<Target> =
  | { kind: "found"; target: Target; params: ReadonlyMap<string, PathParam> }
  /** `allow`: every method of every route that matches the path. */
  | { kind: "wrong_method"; allow: string[] }
  | { kind: "no_route" };

const PARAMETER = /^\{(\w+)\}$/;

/**
 * Finds the route of a request. Segments are compared before they are decoded, so that an encoded slash
 * is part of a name; case and a trailing slash matter. Of several routes that match, the first in the
 * table wins.
 */
export function createRouteMatcher<Target>(routes: readonly Route<Target>[]) {
  const patterns = routes.map((route) => ({ route, segments: route.path.split("/") }));

  return (method: string, path: string): RouteMatch<Target> => {
    const segments = path.split("/");
    const matching = patterns.filter((pattern) => fits(pattern.segments, segments));
    if (matching.length === 0) return { kind: "no_route" };
    const wanted = method === "HEAD" ? "GET" : method;
    const chosen = matching.find(({ route }) => route.method === wanted);
    if (chosen === undefined) return { kind: "wrong_method", allow: toAllow(matching) };
    const params = toParams(chosen.segments, segments);
    return { kind: "found", target: chosen.route.target, params };
  };
}

function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  if (pattern.length !== segments.length) return false;
  return pattern.every((part, at) =>
    PARAMETER.test(part) ? segments[at] !== "" : part === segments[at],
  );
}

function toAllow(matching: readonly { route: { method: Method } }[]): string[] {
  const methods = new Set<string>(matching.map(({ route }) => route.method));
  if (methods.has("GET")) methods.add("HEAD");
  return [...methods].toSorted();
}

function toParams(pattern: readonly string[], segments: readonly string[]) {
  const params = new Map<string, PathParam>();
  pattern.forEach((part, at) => {
    const name = PARAMETER.exec(part)?.[1];
    const raw = segments[at];
    if (name !== undefined && raw !== undefined) params.set(name, { raw, text: decode(raw) });
  });
  return params;
}

function decode(raw: string): string | null {
  try {
    return decodeURIComponent(raw);
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}
