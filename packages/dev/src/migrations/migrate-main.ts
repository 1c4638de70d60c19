// `node packages/dev/dist/migrations/migrate-main.js`: applies the migrations to DATABASE_URL.
import { fileURLToPath } from "node:url";
import { ConfigurationError, databaseEnv, parseEnvironment } from "@truerun/shared/config";
import { z } from "zod";
import { migrate } from "./migrate.ts";

const schema = z.object({
  DATABASE_URL: databaseEnv.DATABASE_URL,
  PRISMA_DIR: z.string().default(fileURLToPath(new URL("../../../../prisma", import.meta.url))),
});

try {
  const config = parseEnvironment(schema);
  const applied = await migrate({ url: config.DATABASE_URL, prismaDir: config.PRISMA_DIR });
  process.stdout.write(
    applied.length === 0 ? "The database is up to date.\n" : `Applied: ${applied.join(", ")}\n`,
  );
  process.exit(0);
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(
    `${error instanceof ConfigurationError ? message : `The migrations cannot be applied: ${message}`}\n`,
  );
  process.exit(1);
}
