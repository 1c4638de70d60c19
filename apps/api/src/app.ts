import express, { type Express } from "express";
import type { ApiDependencies } from "./dependencies.ts";
import { createAdmissions } from "./http/create-admissions.ts";
import { createAuthenticator } from "./http/authenticate.ts";
import { createErrorHandler } from "./http/error-handler.ts";
import { logRequests } from "./http/log-requests.ts";
import { measureRequests } from "./http/measure-requests.ts";
import { createRateLimiter, toRateLimit } from "./http/rate-limit.ts";
import { createBodyReader } from "./http/read-body.ts";
import { serveRoutes } from "./http/serve-endpoint.ts";
import { createReference } from "./reference.ts";
import { routes } from "./routes.ts";
import { createProbe } from "./service/health.ts";
import { createDatabaseClock } from "./workflow-runs/database-clock.ts";

/** The gateway as an Express app. Opens nothing; see `createServer` for what listens. */
export function createApp(dependencies: ApiDependencies): Express {
  const { db, startsDb, logger, registry, config } = dependencies;
  const app = express();
  app.disable("x-powered-by");
  // An ETag would cost a hash of every answer, and nobody caches answers that require a key.
  app.disable("etag");
  // Otherwise Express's own last resort, for what the error handler throws, shows stacks.
  app.set("env", "production");
  app.use(measureRequests(registry));
  app.use(logRequests(logger));
  const services = {
    ...dependencies,
    clock: createDatabaseClock(startsDb),
    openApiText: createReference(routes, { db, logger }),
    probe: createProbe(dependencies),
  };
  const authenticator = createAuthenticator({ starts: startsDb, others: db });
  const bodyReader = createBodyReader(config.MAX_BODY_BYTES);
  const admission = createAdmissions(config, { registry, logger });
  const rateLimit = toRateLimit(config);
  const rateLimiter = rateLimit === undefined ? undefined : createRateLimiter(rateLimit);
  app.use(
    serveRoutes(routes, {
      services,
      authenticator,
      bodyReader,
      admission,
      rateLimiter,
      unreadMs: config.REQUEST_TIMEOUT_MS,
    }),
  );
  app.use(createErrorHandler(logger));
  return app;
}
