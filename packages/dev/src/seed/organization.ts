import type { Database } from "@truerun/shared/db";
import { newId } from "@truerun/shared/ids";

/** The id of the org of this name, which is created if it is new. */
export async function ensureOrganization(db: Database, name: string): Promise<string> {
  await db.$executeRaw`
    INSERT INTO organizations (id, name) VALUES (${newId("cborg")}, ${name})
    ON CONFLICT (name) DO NOTHING`;
  const { id } = await db.organization.findUniqueOrThrow({ where: { name }, select: { id: true } });
  return id;
}
