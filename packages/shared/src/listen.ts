import type { AddressInfo, Server } from "node:net";
import { ConfigurationError } from "./config.ts";

/**
 * Makes a server listen.
 *
 * @param where - `variable` is the environment variable that holds the port; port 0 picks a free one
 * @returns the port
 * @throws ConfigurationError naming the variables, when the port is taken or the address is not this machine's
 */
export async function listen(
  server: Server,
  { host, port, variable }: { host: string; port: number; variable: string },
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", ({ message }) =>
      reject(
        new ConfigurationError(`Cannot listen on HOST ${host}, ${variable} ${port}: ${message}`),
      ),
    );
    server.listen(port, host, resolve);
  });
  return (server.address() as AddressInfo).port;
}
