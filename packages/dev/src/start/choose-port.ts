import { findFreePort, isPortFree } from "../processes/ports.ts";
import { StartError } from "./start-error.ts";

export interface PortWish {
  /** The environment variable that sets it. */
  variable: string;
  /** What that variable says; undefined when it is not set. */
  wanted: number | undefined;
  fallback: number;
  host: string;
  /** Ports already given to others. */
  taken?: readonly number[];
}

/**
 * The port that was asked for, or the default one, or any free one if the default is taken.
 *
 * @throws StartError when a port was asked for and is taken: whoever asked relies on it
 */
export async function choosePort(wish: PortWish, say: (message: string) => void): Promise<number> {
  const { variable, wanted, fallback, host, taken = [] } = wish;
  const port = wanted ?? fallback;
  if (!taken.includes(port) && (await isPortFree(port, host))) return port;
  if (wanted !== undefined) {
    throw new StartError(
      `${variable} is ${wanted}, which another program uses. Stop that program, set ${variable} to a free port, or leave it unset to get a free one.`,
    );
  }
  const free = await findFreePort(host);
  say(`Port ${port} is taken: ${free} is used instead (${variable} sets it).`);
  return free;
}
