import { isDeepStrictEqual } from "node:util";
import { type CatalogueEntry, loadCatalogue } from "@truerun/shared/definitions/load-catalogue";
import type { ApiDependencies } from "./dependencies.ts";
import type { Endpoint } from "./http/define-endpoint.ts";
import type { Route } from "./http/route-matcher.ts";
import { toOpenApiText } from "./openapi.ts";

/** The document needs no key, so the database is asked at most this often. */
const FRESH_FOR_MS = 2_000;

/**
 * The OpenAPI document of these routes, as the bytes of its JSON text, with the catalogue that the workers have published.
 * It never rejects: while the database does not answer, the last known catalogue is used.
 */
export function createReference(
  routes: readonly Route<Endpoint>[],
  { db, logger }: Pick<ApiDependencies, "db" | "logger">,
): () => Promise<Buffer> {
  let known: { catalogue: readonly CatalogueEntry[]; text: Buffer } | undefined;
  let latest: Promise<Buffer> | undefined;
  let askedAt = 0;

  async function refresh(): Promise<Buffer> {
    const catalogue = await loadCatalogue(db).catch((error: unknown) => {
      logger.warn({ err: error }, "the reference is without news of the catalogue");
      return known?.catalogue ?? [];
    });
    if (known === undefined || !isDeepStrictEqual(known.catalogue, catalogue)) {
      known = { catalogue, text: Buffer.from(toOpenApiText(routes, catalogue)) };
    }
    return known.text;
  }

  return () => {
    const now = performance.now();
    if (latest === undefined || now - askedAt > FRESH_FOR_MS) {
      askedAt = now;
      latest = refresh();
    }
    return latest;
  };
}
