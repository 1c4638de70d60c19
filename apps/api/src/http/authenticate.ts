import { type ApiKeyScope, hashApiKey, isWellFormedApiKey } from "@truerun/shared/api-keys";
import { type Database, Prisma } from "@truerun/shared/db";
import { forgetOldest } from "@truerun/shared/forget-oldest";
import type { LoadClass } from "./admission.ts";
import type { EndpointRequest } from "./define-endpoint.ts";
import { ApiError, invalidApiKey, notAuthenticated } from "./errors.ts";

/** How long after the database confirmed a key its bodies are read without asking again first. */
const GOOD_FOR_MS = 5_000;
/** Maximum keys remembered; beyond that the oldest is forgotten. */
const MAX_REMEMBERED = 10_000;

/**
 * The API key of one request. The database decides on every request whether it is good: in the
 * endpoint's own statement (see {@link authCte} and {@link AUTH_OF_ASKED}), or in
 * {@link checkKey}. A revoked key is therefore refused on the very next request, whichever
 * process gets it.
 */
export interface Credential {
  readonly keyHash: Uint8Array<ArrayBuffer>;
  /** The hash as text, under which the gateway keeps what it knows of the key. */
  readonly keyName: string;
  /** Set once the database has said during this request that the key is good. */
  orgId: string | null;
}

/** A key that the database has not been asked about in this request. */
export function toCredential(keyHash: Uint8Array<ArrayBuffer>): Credential {
  return { keyHash, keyName: Buffer.from(keyHash).toString("base64"), orgId: null };
}

export interface Authenticator {
  /** @throws 401 when the header is absent, not `Bearer`, or holds what cannot be a key */
  read(authorization: string | undefined): Credential;
  /** Whether the key was good a moment ago: enough to read a body for it, and for nothing else. */
  wasGood(credential: Credential): boolean;
  /** Records what an endpoint's statement said about the key. @throws 401 when it was not good */
  confirm(credential: Credential, orgId: string | null | undefined): string;
  /**
   * Asks the database about the key alone, on the connections of that load class.
   *
   * @throws 401 when it is not good, 403 without the scope
   */
  lookUp(credential: Credential, scope: ApiKeyScope | null, load: LoadClass): Promise<void>;
}

const IS_GOOD = Prisma.sql`revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`;

/** `auth AS (...)`: one row (`org_id`, `key_id`) while the key is good, none otherwise. */
export function authCte(credential: Credential): Prisma.Sql {
  return authCteOf(credential.keyHash);
}

/** The same, where the hash is not known yet: see `composeOnce`. */
export function authCteOf(keyHash: unknown): Prisma.Sql {
  return Prisma.sql`auth AS (
    SELECT org_id, id AS key_id FROM api_keys
    WHERE key_hash = ${keyHash}::bytea AND ${IS_GOOD})`;
}

/**
 * For endpoints whose own statements cannot check the key: to be called after the body was read, which may take
 * long.
 *
 * @throws 401 when the key is not good
 */
export async function checkKey(
  request: Pick<EndpointRequest, "credential" | "confirm">,
  db: Database,
): Promise<string> {
  const rows = await db.$queryRaw<{ org_id: string }[]>`
    WITH ${authCte(request.credential)} SELECT org_id FROM auth`;
  return request.confirm(rows[0]?.org_id);
}

/** `auth (org_id, key_id)` for each row of `asked`, which has a `key_hash`; null where that key is not good. */
export const AUTH_OF_ASKED = Prisma.sql`LEFT JOIN LATERAL (
    SELECT org_id, id AS key_id FROM api_keys
    WHERE key_hash = asked.key_hash AND ${IS_GOOD} LIMIT 1
  ) AS auth ON true`;

/**
 * The condition that run `r` belongs to the org of `auth`, for lookups by id. Written so that only the index on
 * ids applies: a plan made while the table was empty would otherwise walk all runs of the org.
 */
export const RUN_OF_ORG = Prisma.sql`coalesce(r.org_id, '') = auth.org_id`;

/**
 * Remembers, for this process, which keys were good a moment ago.
 *
 * @param databases - the connections of each load class; {@link Authenticator.lookUp} uses those it is told
 */
export function createAuthenticator(
  databases: Readonly<Record<LoadClass, Database>>,
): Authenticator {
  const remembered = new Map<string, number>();

  function confirm(credential: Credential, orgId: string | null | undefined): string {
    const { keyName } = credential;
    remembered.delete(keyName);
    if (orgId === null || orgId === undefined) throw invalidApiKey();
    credential.orgId = orgId;
    remembered.set(keyName, performance.now() + GOOD_FOR_MS);
    forgetOldest(remembered, MAX_REMEMBERED);
    return orgId;
  }

  return {
    read(authorization) {
      const token = /^bearer +(.+)$/i.exec(authorization ?? "")?.[1];
      if (token === undefined) throw notAuthenticated();
      if (!isWellFormedApiKey(token)) throw invalidApiKey();
      return toCredential(hashApiKey(token));
    },
    wasGood({ keyName }) {
      const until = remembered.get(keyName);
      return until !== undefined && performance.now() < until;
    },
    confirm,
    async lookUp(credential, scope, load) {
      const rows = await databases[load].$queryRaw<{ org_id: string; scopes: string[] }[]>`
        WITH ${authCte(credential)}
        SELECT auth.org_id, k.scopes FROM auth
        JOIN api_keys k ON k.key_hash = ${credential.keyHash}::bytea`;
      confirm(credential, rows[0]?.org_id);
      if (scope !== null && !rows[0]?.scopes.includes(scope)) throw insufficientScope(scope);
    },
  };
}

function insufficientScope(scope: ApiKeyScope): ApiError {
  const message = `The API key lacks the scope '${scope}'.`;
  return new ApiError("insufficient_scope", { message });
}
