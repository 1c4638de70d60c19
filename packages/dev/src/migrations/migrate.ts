import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { withSchemaEngine } from "./schema-engine.ts";

export interface MigrateOptions {
  /** `postgresql://...`; the database is created if it is missing. */
  url: string;
  /** Folder with `schema.prisma` and `migrations/`. */
  prismaDir: string;
}

/**
 * Applies the migrations that the database does not have yet, and records them in Prisma's own table, so
 * that `prisma migrate deploy` agrees with it.
 *
 * @returns the names of those applied
 */
export async function migrate({ url, prismaDir }: MigrateOptions): Promise<string[]> {
  await createDatabaseIfMissing(url);
  const folder = join(prismaDir, "migrations");
  const names = readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, "migration.sql")))
    .sort();
  const input = {
    migrationsList: {
      baseDir: folder,
      lockfile: {
        path: "migration_lock.toml",
        content: readFileSync(join(folder, "migration_lock.toml"), "utf8"),
      },
      migrationDirectories: names.map((path) => ({
        path,
        migrationFile: {
          path: "migration.sql",
          content: { tag: "ok", value: readFileSync(join(folder, path, "migration.sql"), "utf8") },
        },
      })),
      shadowDbInitScript: "",
    },
    filters: NO_FILTERS,
  };
  const engine = { url, schema: readSchema(prismaDir) };
  const result = await withSchemaEngine(engine, (lent) => lent.applyMigrations(input));
  return result.appliedMigrationNames;
}

/** The SQL that creates what `schema.prisma` describes in an empty database; it is not applied. */
export async function schemaToSql({ url, prismaDir }: MigrateOptions): Promise<string> {
  const schema = readSchema(prismaDir);
  const input = {
    from: { tag: "empty" },
    to: { tag: "schemaDatamodel", files: [{ path: "schema.prisma", content: schema }] },
    script: true,
    shadowDatabaseUrl: null,
    exitCode: null,
    filters: NO_FILTERS,
  };
  const { stdout } = await withSchemaEngine({ url, schema }, (engine) => engine.diff(input));
  return stdout ?? "";
}

const NO_FILTERS = { externalTables: [], externalEnums: [] };

function readSchema(prismaDir: string): string {
  return readFileSync(join(prismaDir, "schema.prisma"), "utf8");
}

async function createDatabaseIfMissing(url: string): Promise<void> {
  const address = new URL(url);
  const name = decodeURIComponent(address.pathname.slice(1));
  const direct = new pg.Client({ connectionString: url });
  try {
    await direct.connect();
    return;
  } catch (error) {
    const DOES_NOT_EXIST = "3D000";
    if ((error as { code?: string }).code !== DOES_NOT_EXIST) throw error;
  } finally {
    await direct.end();
  }
  address.pathname = "/postgres";
  const admin = new pg.Client({ connectionString: address.href });
  await admin.connect();
  try {
    await admin.query(`CREATE DATABASE ${admin.escapeIdentifier(name)}`);
  } finally {
    await admin.end();
  }
}
