import type { Database } from "@truerun/shared/db";

/**
 * The keys of an org, the oldest first.
 *
 * @returns one line for each: its id, state, creation, scopes and label
 * @throws Error when there is no such org
 */
export async function listKeys(db: Database, org: string): Promise<string> {
  const found = await db.organization.findUnique({
    where: { name: org },
    select: { apiKeys: { orderBy: [{ createdAt: "asc" }, { id: "asc" }] } },
  });
  if (found === null) throw new Error(`There is no org ${JSON.stringify(org)}.`);
  if (found.apiKeys.length === 0) return "no keys";
  return found.apiKeys
    .map(({ id, name, scopes, createdAt, expiresAt, revokedAt }) =>
      [
        id,
        toState(expiresAt, revokedAt),
        `created ${createdAt.toISOString()}`,
        scopes.join(",") || "no scopes",
        JSON.stringify(name),
      ].join("  "),
    )
    .join("\n");
}

function toState(expiresAt: Date | null, revokedAt: Date | null): string {
  if (revokedAt !== null) return `revoked ${revokedAt.toISOString()}`;
  if (expiresAt === null) return "valid";
  const state = expiresAt.getTime() <= Date.now() ? "expired" : "valid until";
  return `${state} ${expiresAt.toISOString()}`;
}
