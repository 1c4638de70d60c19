import { hashApiKey } from "@truerun/shared/api-keys";
import { isId } from "@truerun/shared/ids";
import type { Database } from "@truerun/shared/db";

/**
 * Revokes a key: the next request with it is a 401, in every gateway. One that is revoked stays as it is.
 *
 * @param key - its id (`cbak_...`), or its text
 * @returns a line that says what was done
 * @throws Error when there is no such key
 */
export async function revokeKey(db: Database, key: string): Promise<string> {
  const where = isId("cbak", key) ? { id: key } : { keyHash: hashApiKey(key) };
  const found = await db.apiKey.findUnique({ where, select: { id: true, organization: true } });
  if (found === null) throw new Error("There is no such key.");
  const { id, organization } = found;
  const { count } = await db.apiKey.updateMany({
    where: { id, revokedAt: null },
    data: { revokedAt: new Date() },
  });
  const done = count === 0 ? "was revoked before" : "is revoked";
  return `${id} of ${JSON.stringify(organization.name)} ${done}`;
}
