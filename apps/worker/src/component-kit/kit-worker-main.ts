// A worker with one component: it tells its parent how far each attempt is, and waits there to be let through.
import { pathToFileURL } from "node:url";
import { parseEnvironment } from "@truerun/shared/config";
import { createDatabase } from "@truerun/shared/db";
import { createLogger } from "@truerun/shared/logger";
import { createTemporalClient } from "@truerun/shared/temporal-connection";
import { type Component, isComponent } from "../component.ts";
import { workerConfig } from "../config.ts";
import { connectWorker } from "../connect-worker.ts";
import { createMirrorDatabase } from "../mirror/mirror-database.ts";
import { installTemporalRuntime } from "../temporal-runtime.ts";
import { createRunWorker } from "../worker.ts";
import type { Gate } from "./attempt-gates.ts";
import type { FromKitWorker, ToKitWorker } from "./kit-worker.ts";

// It must not outlive its test.
process.on("disconnect", () => process.exit(0));

const waiting = new Map<string, () => void>();
const toldToWork = new Promise<void>((resolve) => {
  process.on("message", (message: ToKitWorker) => {
    if (message.type === "work") resolve();
    else waiting.get(JSON.stringify(message.gate))?.();
  });
});

await main(process.argv[2] ?? "");

async function main(file: string): Promise<void> {
  const config = parseEnvironment(workerConfig);
  const logger = createLogger({ name: "kit-worker", level: config.LOG_LEVEL });
  installTemporalRuntime(logger, config.LOG_LEVEL);
  const component = await load(file);
  tell({ type: "loaded", action: component.action });
  await toldToWork;
  const connection = await connectWorker(config);
  const poolSize = Math.floor(config.DATABASE_POOL_SIZE / 2);
  const db = createDatabase({
    url: config.DATABASE_URL,
    poolSize,
    applicationName: "kit-worker",
  });
  const { worker } = await createRunWorker({
    config,
    connection,
    client: createTemporalClient(config).client,
    db,
    mirrorDb: createMirrorDatabase(config.DATABASE_URL, poolSize),
    components: new Map([[component.action, withGates(component)]]),
    logger,
  });
  const ended = worker.run();
  tell({ type: "working" });
  await ended;
}

async function load(file: string): Promise<Component> {
  const module = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as {
    default?: unknown;
  };
  if (isComponent(module.default)) return module.default;
  throw new TypeError(`${file}: its default export is not made by defineComponent`);
}

/** The component, with a gate before and after its `run`. */
function withGates(component: Component): Component {
  return {
    ...component,
    async run(context) {
      const { idempotencyKey, attempt, signal } = context;
      await pass({ idempotencyKey, attempt, point: "start" }, signal);
      try {
        return await component.run(context);
      } finally {
        await pass({ idempotencyKey, attempt, point: "end" }, signal);
      }
    },
  };
}

/** A canceled attempt is let through: the component is not to blame for a shut gate. */
async function pass(gate: Gate, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    waiting.set(JSON.stringify(gate), resolve);
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
    tell({ type: "reached", gate });
  });
}

function tell(message: FromKitWorker): void {
  process.send?.(message);
}
