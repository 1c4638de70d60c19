// For integration tests of components: nothing that runs in production imports it.
import { fileURLToPath } from "node:url";
import { toFileName } from "@truerun/shared/component-name";
import type { z } from "zod";
import type { Component } from "../component.ts";
import { findComponentFiles } from "../load-components.ts";
import type { EffectLedger } from "./effect-ledger.ts";
import { NotRetrySafeError, type RetrySafetyReport, toReport } from "./retry-safety-report.ts";
import { playScenarios } from "./retry-scenarios.ts";
import { setStage } from "./retry-stage.ts";

export { createLedger, type EffectLedger } from "./effect-ledger.ts";
export { NotRetrySafeError, type RetrySafetyReport } from "./retry-safety-report.ts";

export interface RetrySafetyOptions<Input> {
  /**
   * The step's `with`. Every scenario is a run of its own: put the idempotency key where the ledger sees
   * it again (a path, a subject), so that it can tell whose effect it sees.
   */
  input: (idempotencyKey: string) => Input;
  /** Where the effects are seen: `createLedger()` for a server that the test plays, or a ledger of your own. */
  ledger: EffectLedger;
  /** The environment of the workers: `{ SMTP_URL: "smtp://..." }`. */
  env?: Readonly<Record<string, string>>;
  /** The component's file, if it is not in the folder `components`. */
  file?: URL;
}

/** What a `const` type parameter makes of a value: literals keep their types, lists are read-only. */
type Frozen<T> = T extends object ? { readonly [Key in keyof T]: Frozen<T[Key]> } : T;

/**
 * Runs a component under real workers, each a process of its own, and does to it what can happen to
 * components: its worker is killed before, during and after its effect; it is delivered twice at the same
 * time; it is canceled, and timed out, after its effect but before the answer. Takes about 20 s and needs
 * the services of the integration tests.
 *
 * @returns what was seen in each scenario
 * @throws {@link NotRetrySafeError} naming the scenarios in which an effect did not happen as often for its
 * idempotency key as it does undisturbed (of a canceled run: at most as often), or from which the run did not
 * recover; an Error when the component fails without any fault, or has no effect that the ledger shows
 */
export async function provesRetrySafe<
  Each extends Component,
  const Input extends Frozen<z.input<Each["input"]>>,
>(component: Each, options: RetrySafetyOptions<Input>): Promise<RetrySafetyReport> {
  const { action } = component;
  const file = options.file === undefined ? await findFile(action) : fileURLToPath(options.file);
  const { input: toInput, env = {}, ledger } = options;
  const stage = await setStage({ action, file, toInput, env, ledger });
  try {
    const plays = await playScenarios(stage);
    // A worker that is still up could have another effect.
    await Promise.all(Object.values(stage.workers).map((worker) => worker.kill()));
    const ends = await Promise.all(plays.map((play) => stage.endOf(play)));
    const report = toReport(action, ends);
    if (report.scenarios.some(({ fault }) => fault !== null)) throw new NotRetrySafeError(report);
    return report;
  } finally {
    await stage.close();
  }
}

const COMPONENTS = fileURLToPath(new URL("../components", import.meta.url));

/** As a worker's loader finds it. */
async function findFile(action: string): Promise<string> {
  const name = toFileName(action);
  const found = (await findComponentFiles(COMPONENTS)).find((file) => file.name === name);
  if (found === undefined) throw new Error(`${COMPONENTS} has no file ${name}.ts`);
  return found.path;
}
