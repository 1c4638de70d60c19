import { generateApiKey } from "@truerun/shared/api-keys";
import type { Database } from "@truerun/shared/db";
import { newId } from "@truerun/shared/ids";
import { ensureOrganization } from "../seed/organization.ts";
import type { KeyOptions } from "./parse-key-options.ts";

/**
 * Creates a key, and its org if that is new.
 *
 * @returns the key in clear text; it cannot be retrieved again
 */
export async function createKey(
  db: Database,
  { org, name, scopes, validForMs }: KeyOptions,
): Promise<string> {
  const orgId = await ensureOrganization(db, org);
  const { text, hash: keyHash } = generateApiKey();
  const expiresAt = validForMs === undefined ? null : new Date(Date.now() + validForMs);
  await db.apiKey.create({
    data: { id: newId("cbak"), orgId, name, keyHash, scopes, expiresAt },
  });
  return text;
}
