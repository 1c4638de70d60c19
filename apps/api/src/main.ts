import { ConfigurationError } from "@truerun/shared/config";
import { createLogger } from "@truerun/shared/logger";
import { readConfig } from "./config.ts";
import { startGateway } from "./gateway.ts";

/** The process: configuration, gateway, and an orderly shutdown on SIGTERM, SIGINT or loss of the parent. */
async function main(): Promise<void> {
  const config = readConfig();
  const logger = createLogger({ name: "truerun-api", level: config.LOG_LEVEL });
  const gateway = await startGateway(config, logger);
  logger.info({ host: config.HOST, port: gateway.port }, "listening");

  let stopping = false;
  const stop = async (reason: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    logger.info({ reason }, "draining");
    await gateway.stop();
    logger.info("stopped");
    // A handle that a library left open must not keep a drained process alive.
    process.exit(0);
  };
  const stopOrDie = (reason: string) => {
    stop(reason).catch((error: unknown) => {
      logger.fatal({ err: error }, "could not stop in order");
      process.exit(1);
    });
  };
  process.on("SIGTERM", () => stopOrDie("SIGTERM"));
  process.on("SIGINT", () => stopOrDie("SIGINT"));
  if (process.send !== undefined) {
    process.on("disconnect", () => stopOrDie("the parent process is gone"));
    process.send({ type: "ready", port: gateway.port });
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
