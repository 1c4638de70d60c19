import { toMarkdown } from "@truerun/dev/report/markdown";
import type { Sample } from "../measure/sample.ts";
import { PART_KINDS, type PartKind } from "../systems/system.ts";
import { cpuOf, show } from "./result-table.ts";

/** What the paper is about, in runs a second, and how busy its machines may be. */
const RUNS_A_SECOND = 10_000;
const LOAD = 0.6;

const PARTS: Readonly<Record<PartKind, string>> = {
  gateway: "gateways",
  worker: "workers",
  Temporal: "Temporal; the dev server's own SQLite included",
  Postgres: "Postgres, for the run tables",
};

/** The measured cost of a run of three regular steps, multiplied. */
export function toPaperTable(samples: readonly Sample[], inFlight: number): string {
  const own = samples.filter((sample) => sample.measure === "ends" && sample.inFlight === inFlight);
  const rows = PART_KINDS.map((kind) => {
    const cpuMs = cpuOf(own, "service", kind);
    const cores = cpuMs === null ? null : (cpuMs / 1_000) * RUNS_A_SECOND;
    return [PARTS[kind], show(cpuMs), show(cores), show(cores === null ? null : cores / LOAD)];
  });
  const cores = `cores busy at ${RUNS_A_SECOND.toLocaleString("en")} a second`;
  return toMarkdown([["part", "CPU ms a run", cores, `cores at ${LOAD * 100} % load`], ...rows]);
}
