import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import {
  API_KEY_SCOPES,
  generateApiKey,
  hashApiKey,
  isWellFormedApiKey,
} from "@truerun/shared/api-keys";
import type { Database } from "@truerun/shared/db";
import { newId } from "@truerun/shared/ids";
import { readIfThere, writePrivateFile } from "../private-file.ts";

/**
 * The demo org's key, kept in a file that only its owner may read: the database has only its hash. A new key
 * is made when the file is gone, or the key no longer works in this database.
 */
export async function ensureDemoKey(db: Database, orgId: string, file: string): Promise<string> {
  const kept = await readKey(file);
  if (kept !== null && (await storeKey(db, orgId, hashApiKey(kept)))) return kept;
  const { text, hash } = generateApiKey();
  await storeKey(db, orgId, hash);
  await mkdir(dirname(file), { recursive: true });
  await writePrivateFile(file, `${text}\n`);
  return text;
}

async function readKey(file: string): Promise<string | null> {
  const text = (await readIfThere(file))?.trim();
  return text !== undefined && isWellFormedApiKey(text) ? text : null;
}

/** Stores the key if the database does not know it. @returns whether it is the org's and good now */
async function storeKey(
  db: Database,
  orgId: string,
  hash: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  await db.$executeRaw`
    INSERT INTO api_keys (id, org_id, name, key_hash, scopes)
    VALUES (${newId("cbak")}, ${orgId}, 'demo', ${hash}, ${[...API_KEY_SCOPES]})
    ON CONFLICT (key_hash) DO NOTHING`;
  const now = new Date();
  const key = await db.apiKey.findUniqueOrThrow({ where: { keyHash: hash } });
  const isExpired = key.expiresAt !== null && key.expiresAt <= now;
  return key.orgId === orgId && key.revokedAt === null && !isExpired;
}
