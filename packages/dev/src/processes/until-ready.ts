import type { ManagedProcess } from "./managed-process.ts";

const READY_WITHIN_MS = 90_000;

/**
 * Waits until a process reports through its message channel that it is ready.
 *
 * @param signal - aborts the wait
 * @throws when it ends instead, takes too long, or the wait is aborted; the message begins with a verb
 */
export async function untilReady(service: ManagedProcess, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`was not ready within ${READY_WITHIN_MS / 1_000} s`)),
      READY_WITHIN_MS,
    );
    service.child.on("message", (message) => {
      const isReady = typeof message === "object" && "type" in message && message.type === "ready";
      if (!isReady) return;
      clearTimeout(timer);
      resolve();
    });
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new Error("was stopped while starting"));
    });
    void service.exited.then(({ code, signal: by }) => {
      clearTimeout(timer);
      reject(new Error(`ended while starting (${by ?? `exit code ${code}`})`));
    });
  });
}
