# syntax=docker/dockerfile:1
# Targets: api, worker, migrate. Each holds one process and runs as an unprivileged user.

FROM node:20-bookworm-slim AS build
WORKDIR /src
RUN npm install --global pnpm@10.34.9
COPY pnpm-lock.yaml pnpm-workspace.yaml package.json ./
COPY apps/api/package.json apps/api/
COPY apps/worker/package.json apps/worker/
COPY packages/shared/package.json packages/shared/
COPY packages/dev/package.json packages/dev/
COPY chaos/package.json chaos/
COPY bench/package.json bench/
COPY bench/naive/package.json bench/naive/
RUN pnpm install --frozen-lockfile
COPY . .
# Prisma's generator asks for a schema engine that it does not use; any file will do.
ENV PRISMA_SCHEMA_ENGINE_BINARY=/bin/true
RUN pnpm exec prisma generate \
 && pnpm exec prisma generate --schema bench/naive/prisma/schema.prisma \
 && pnpm exec tsc -b tsconfig.build.json \
 && node apps/worker/dist/build-workflow-bundle.js
RUN pnpm --filter @truerun/api deploy --prod --legacy /out/api \
 && pnpm --filter @truerun/worker deploy --prod --legacy /out/worker \
 && pnpm --filter @truerun/dev deploy --prod --legacy /out/migrate

FROM node:20-bookworm-slim AS runtime
ENV NODE_ENV=production
WORKDIR /app
USER node

FROM runtime AS api
COPY --from=build --chown=node:node /out/api ./
ENV HOST=0.0.0.0 PORT=3000
EXPOSE 3000
CMD ["node", "dist/main.js"]

FROM runtime AS worker
COPY --from=build --chown=node:node /out/worker ./
COPY --from=build --chown=node:node /src/components/external ./components/external
ENV DATA_DIR=/tmp/truerun EXTERNAL_COMPONENTS_DIR=/app/components/external
CMD ["node", "dist/main.js"]

FROM runtime AS migrate
COPY --from=build --chown=node:node /out/migrate ./
COPY --from=build --chown=node:node /src/prisma/migrations ./prisma/migrations
COPY --from=build --chown=node:node /src/prisma/schema.prisma ./prisma/schema.prisma
ENV PRISMA_DIR=/app/prisma
CMD ["node", "dist/migrations/migrate-main.js"]
