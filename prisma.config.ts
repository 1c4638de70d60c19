import { defineConfig } from "prisma/config";

/** For Prisma's own command line (`prisma studio`, `prisma migrate`); the services read their own configuration. */
export default defineConfig({
  schema: "prisma/schema.prisma",
  migrations: { path: "prisma/migrations" },
  datasource: { url: process.env["DATABASE_URL"] ?? "" },
});
