// Prisma's schema engine as WebAssembly: `prisma migrate` would download a binary of it.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { PrismaPg } from "@prisma/adapter-pg";
import { toSession } from "@truerun/shared/database-session";
import pg from "pg";
import { bindMigrationAwareSqlAdapterFactory } from "@prisma/driver-adapter-utils";

/** What is used of the engine; the package has no types of its own. */
export interface SchemaEngine {
  applyMigrations(input: unknown): Promise<{ appliedMigrationNames: string[] }>;
  diff(input: unknown): Promise<{ exitCode: number; stdout: string | null }>;
}

interface EngineModule {
  __wbg_set_wasm(exports: unknown): void;
  SchemaEngine: {
    new: (options: unknown, log: (line: string) => void, adapter: unknown) => Promise<SchemaEngine>;
  };
}

/** Only the types for browsers include it. */
declare const WebAssembly: {
  instantiate(
    code: Uint8Array,
    imports: Record<string, EngineModule>,
  ): Promise<{ instance: { exports: Record<string, unknown> } }>;
};

let loading: Promise<EngineModule> | undefined;

/**
 * Provides an engine for a database and the text of `schema.prisma`. Its connections end with `use`: Postgres
 * does not copy a template while anyone is connected to it.
 */
export async function withSchemaEngine<T>(
  { url, schema }: { url: string; schema: string },
  use: (engine: SchemaEngine) => Promise<T>,
): Promise<T> {
  loading ??= loadEngine();
  const { SchemaEngine } = await loading;
  const pool = new pg.Pool({ ...toSession(url), max: 2 });
  try {
    const adapter = bindMigrationAwareSqlAdapterFactory(new WholeScripts(pool));
    const options = { datamodels: [["schema.prisma", schema]] };
    return await use(await SchemaEngine.new(options, () => undefined, adapter));
  } finally {
    await pool.end();
  }
}

/**
 * Prisma's adapter splits a script at each semicolon, even inside functions, and runs the pieces one by one.
 * Sent whole and without arguments, a script is one transaction, as with `prisma migrate deploy`.
 */
class WholeScripts extends PrismaPg {
  override async connect(): ReturnType<PrismaPg["connect"]> {
    const adapter = await super.connect();
    adapter.executeScript = async (script) => {
      await adapter.executeRaw({ sql: script, args: [], argTypes: [] });
    };
    return adapter;
  }
}

async function loadEngine(): Promise<EngineModule> {
  const folder = dirname(createRequire(import.meta.url).resolve("@prisma/schema-engine-wasm"));
  const glue = (await import(
    pathToFileURL(join(folder, "schema_engine_bg.js")).href
  )) as EngineModule;
  const code = readFileSync(join(folder, "schema_engine_bg.wasm"));
  const { instance } = await WebAssembly.instantiate(code, {
    "./schema_engine_bg.js": glue,
  });
  glue.__wbg_set_wasm(instance.exports);
  (instance.exports["__wbindgen_start"] as () => void)();
  return glue;
}
