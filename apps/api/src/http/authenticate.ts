import { type ApiKeyScope, hashApiKey, isWellFormedApiKey } from "@truerun/shared/api-keys";
import { type Database, Prisma } from "@truerun/shared/db";
import { ApiError, invalidApiKey, notAuthenticated } from "@truerun/shared/errors";
import type { LoadClass } from "./admission.ts";

/** How long a key that was good may have its body read without another look at the database. */
const GOOD_FOR_MS = 5_000;
/** Keys remembered at most; beyond it the oldest is forgotten. */
const MAX_REMEMBERED = 10_000;

/**
 * The API key of one request. Whether it is good is decided by the database in every request: by the
 * endpoint's own statement (see {@link authCte} and {@link AUTH_OF_ASKED}), or by
 * {@link Authenticator.lookUp}. A revoked key is therefore refused by the very next request, whichever
 * process gets it.
 */
export interface Credential {
  readonly keyHash: Uint8Array<ArrayBuffer>;
  /** Set once the database has said during this request that the key is good. */
  orgId: string | null;
}

export interface Authenticator {
  /** @throws 401 when the header is absent, not `Bearer`, or holds what cannot be a key */
  read(authorization: string | undefined): Credential;
  /** Whether the key was good a moment ago: good enough to read a body for it, for nothing else. */
  wasGood(credential: Credential): boolean;
  /** Notes what an endpoint's statement said of the key. @throws 401 when it was not good */
  confirm(credential: Credential, orgId: string | null | undefined): string;
  /**
   * Asks the database about the key alone, on the connections of that load.
   *
   * @throws 401 when it is not good, 403 without the scope
   */
  lookUp(credential: Credential, scope: ApiKeyScope | null, load: LoadClass): Promise<void>;
}

const IS_GOOD = Prisma.sql`revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`;

/** `auth AS (...)`: one row (`org_id`, `key_id`) while the key is good, none otherwise. */
export function authCte(credential: Credential): Prisma.Sql {
  return Prisma.sql`auth AS (
    SELECT org_id, id AS key_id FROM api_keys
    WHERE key_hash = ${credential.keyHash}::bytea AND ${IS_GOOD})`;
}

/** `auth (org_id, key_id)` for each row of `asked`, which has a `key_hash`; null where that key is not good. */
export const AUTH_OF_ASKED = Prisma.sql`LEFT JOIN LATERAL (
    SELECT org_id, id AS key_id FROM api_keys
    WHERE key_hash = asked.key_hash AND ${IS_GOOD} LIMIT 1
  ) AS auth ON true`;

/**
 * That a run `r` is of the org of `auth`, for statements that look it up by its id. Written so that no index but that
 * of the ids serves: a plan that was made while the table was empty would walk all runs of the org.
 */
export const RUN_OF_ORG = Prisma.sql`coalesce(r.org_id, '') = auth.org_id`;

export function createAuthenticator(
  databases: Readonly<Record<LoadClass, Database>>,
): Authenticator {
  const remembered = new Map<string, number>();

  function confirm(credential: Credential, orgId: string | null | undefined): string {
    const name = Buffer.from(credential.keyHash).toString("base64");
    remembered.delete(name);
    if (orgId === null || orgId === undefined) throw invalidApiKey();
    credential.orgId = orgId;
    remembered.set(name, performance.now() + GOOD_FOR_MS);
    const [oldest] = remembered.keys();
    if (remembered.size > MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
    return orgId;
  }

  return {
    read(authorization) {
      const token = /^bearer +(.+)$/i.exec(authorization ?? "")?.[1];
      if (token === undefined) throw notAuthenticated();
      if (!isWellFormedApiKey(token)) throw invalidApiKey();
      return { keyHash: hashApiKey(token), orgId: null };
    },
    wasGood(credential) {
      const until = remembered.get(Buffer.from(credential.keyHash).toString("base64"));
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
