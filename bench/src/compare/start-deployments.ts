import { installDbos, isDbosInstalled, startDbos } from "../systems/dbos.ts";
import { hold } from "../systems/hold.ts";
import { startNaive } from "../systems/naive.ts";
import { startRaw } from "../systems/raw.ts";
import { startService } from "../systems/service.ts";
import type { Bench } from "../systems/start-parts.ts";
import type { Deployment, System, SystemName } from "../systems/system.ts";

/** A system with the processes that it runs in. */
export interface Placed {
  system: System;
  deployment: Deployment;
}

export interface Wanted {
  systems: readonly SystemName[];
  withWorker: boolean;
}

/**
 * Starts what the systems need, and holds all of it.
 *
 * @throws when one does not come up; those that have come up are stopped again
 */
export async function startDeployments(bench: Bench, wanted: Wanted): Promise<Placed[]> {
  const starts = toStarts(bench, wanted).map((start) => start());
  const settled = await Promise.allSettled(starts);
  const deployments = settled.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  const failed = settled.find((each) => each.status === "rejected");
  if (failed !== undefined) {
    await Promise.all(deployments.map((each) => each.stop()));
    throw failed.reason;
  }
  for (const deployment of deployments) await hold(deployment);
  return deployments.flatMap((deployment) =>
    deployment.systems
      .filter(({ name }) => wanted.systems.includes(name))
      .map((system) => ({ system, deployment })),
  );
}

function toStarts(bench: Bench, { systems, withWorker }: Wanted): (() => Promise<Deployment>)[] {
  const has = (...names: SystemName[]): boolean => names.some((name) => systems.includes(name));
  const workers = withWorker ? 1 : 0;
  return [
    ...(has("raw", "raw-local") ? [() => startRaw(bench, { withWorker })] : []),
    ...(has("naive") ? [() => startNaive(bench, { name: "naive", withWorker })] : []),
    ...(has("service", "local") ? [() => startService(bench, { gateways: 1, workers })] : []),
    ...(has("untouched") ? [() => startNaive(bench, { name: "untouched", withWorker })] : []),
    ...(has("dbos") ? [() => startDbos(bench)] : []),
  ];
}

export async function stopDeployments(placed: readonly Placed[]): Promise<void> {
  const deployments = new Set(placed.map(({ deployment }) => deployment));
  await Promise.all([...deployments].map((each) => each.stop()));
}

/** The systems that are available: DBOS is installed when asked for. */
export async function findAvailable(
  systems: readonly SystemName[],
  say: (message: string) => void,
): Promise<readonly SystemName[]> {
  if (!systems.includes("dbos") || isDbosInstalled()) return systems;
  say("Installing DBOS Transact into .cache, apart from the workspace");
  try {
    await installDbos();
    return systems;
  } catch (error) {
    say(`DBOS cannot be installed, so it is left out: ${String(error)}`);
    return systems.filter((name) => name !== "dbos");
  }
}
