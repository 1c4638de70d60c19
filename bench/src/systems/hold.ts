import { processTree, signalAll } from "@truerun/dev/processes/process-tree";
import type { Deployment } from "./system.ts";

const held = new Set<number>();

/** Stops all processes of a deployment, so that it does nothing while another one is measured. */
export async function hold({ parts, http }: Deployment): Promise<void> {
  http?.dropIdle();
  for (const { pid } of parts) {
    const tree = await processTree(pid);
    for (const each of tree) held.add(each);
    signalAll(tree, "SIGSTOP");
  }
}

/** Lets them continue. */
export async function release({ parts }: Deployment): Promise<void> {
  for (const { pid } of parts) {
    const tree = await processTree(pid);
    signalAll(tree, "SIGCONT");
    for (const each of tree) held.delete(each);
  }
}

/** For the end of this process, which held processes would not notice. */
export function releaseAll(): void {
  signalAll([...held], "SIGCONT");
  held.clear();
}
