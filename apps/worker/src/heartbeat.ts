import type { Context } from "@temporalio/activity";
import type { Json } from "@truerun/shared/contracts/json";
import { toJsonValue } from "./json-value.ts";

/** The sign of life of an attempt. */
export interface Heart {
  /** Beats at once, with details that the next attempt can read. */
  beat: (details?: Json) => void;
  stop: () => void;
}

/** An attempt learns of a cancellation from the answer to a heartbeat, so these set how soon. */
const FIRST_HEARTBEAT_MS = 1_000;
const HEARTBEAT_MS = 2_000;

/** Inside a workflow task no heartbeats are needed: the task itself is the sign of life. */
export const NO_HEART: Heart = {
  beat: (given) => void (given === undefined || toJsonValue(given, "heartbeat details")),
  stop: () => undefined,
};

/** Heartbeats until stopped, repeating the details that the component gave last. */
export function startHeartbeat(context: Context): Heart {
  let details: Json | undefined;
  let timer = setTimeout(tick, FIRST_HEARTBEAT_MS);
  function tick(): void {
    context.heartbeat(details);
    timer = setTimeout(tick, HEARTBEAT_MS);
  }
  return {
    beat(given) {
      details = given === undefined ? undefined : toJsonValue(given, "heartbeat details");
      context.heartbeat(details);
    },
    stop: () => clearTimeout(timer),
  };
}
