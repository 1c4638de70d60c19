import type { Logger } from "@truerun/shared/logger";
import { Counter, Gauge, type Registry } from "@truerun/shared/metrics";
import type { ApiConfig } from "../config.ts";
import {
  type Admission,
  type AdmissionLimits,
  createAdmission,
  type LoadClass,
  type ShedReason,
} from "./admission.ts";

/** Memory for the bodies of each class, unless four of the largest need more. */
const BODY_BYTES = 256 * 1024 * 1024;
/** One key's requests that are no starts, processed at once: what its slow reads can keep other keys waiting for. */
const OTHERS_OF_KEY = 16;
/** The log says at most this often that requests are refused. */
const SAY_EVERY_MS = 10_000;

/** One admission per class, so that neither can take the other's places; measured, and logged now and then. */
export function createAdmissions(
  config: Pick<ApiConfig, "MAX_CONCURRENT_STARTS" | "MAX_REQUESTS" | "MAX_BODY_BYTES">,
  { registry, logger }: { registry: Registry; logger: Logger },
): Record<LoadClass, Admission> {
  const shed = new Counter({
    name: "truerun_http_shed_total",
    help: "Requests that were told 503 because there was too much to do, by class and what was full",
    labelNames: ["class", "reason"],
    registers: [registry],
  });
  const say = createRareWarning(logger);
  const places = config.MAX_REQUESTS;
  const bodyBytes = Math.max(BODY_BYTES, 4 * config.MAX_BODY_BYTES);
  const create = (load: LoadClass, working: Pick<AdmissionLimits, "working" | "workingOfKey">) =>
    createAdmission({
      limits: { ...working, places, bodyBytes },
      onShed(reason) {
        shed.inc({ class: load, reason });
        say(load, reason);
      },
    });
  const admissions = {
    starts: create("starts", {
      working: Math.min(config.MAX_CONCURRENT_STARTS, places),
      workingOfKey: null,
    }),
    others: create("others", { working: null, workingOfKey: OTHERS_OF_KEY }),
  };
  watch(admissions, registry);
  return admissions;
}

function watch(admissions: Record<LoadClass, Admission>, registry: Registry): void {
  const registers = [registry];
  new Gauge({
    name: "truerun_http_requests_here",
    help: "Requests arriving, waiting or being processed, by class",
    labelNames: ["class"],
    registers,
    collect() {
      this.set({ class: "starts" }, admissions.starts.state.here);
      this.set({ class: "others" }, admissions.others.state.here);
    },
  });
  new Gauge({
    name: "truerun_http_start_limit",
    help: "Weight of the run starts that may be processed at once now",
    registers,
    collect() {
      this.set(Math.floor(admissions.starts.state.limit));
    },
  });
}

function createRareWarning(logger: Logger): (load: LoadClass, reason: ShedReason) => void {
  let silentUntil = 0;
  let count = 0;
  return (load, reason) => {
    count += 1;
    const now = performance.now();
    if (now < silentUntil) return;
    silentUntil = now + SAY_EVERY_MS;
    logger.warn({ class: load, reason, count }, "requests are refused: there are too many");
    count = 0;
  };
}
