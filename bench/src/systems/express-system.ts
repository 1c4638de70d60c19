// What naive and DBOS have in common: POST and GET under /runs, and runs in a database.
import { createEndWatch } from "./end-watch.ts";
import { createHttpClient, expectStatus, type HttpRequest } from "./http-client.ts";
import { RUN_INPUT } from "./run-input.ts";
import type { Parts } from "./start-parts.ts";
import type { Deployment, SystemName } from "./system.ts";

export interface ExpressSystem {
  name: SystemName;
  /** Already started. */
  parts: Parts;
  port: number;
  /** Of its database. */
  url: string;
  /** See `EndWatchOptions`. */
  endsSql: string;
}

export async function toDeployment(spec: ExpressSystem): Promise<Deployment> {
  const { name, parts, port, url, endsSql } = spec;
  const http = createHttpClient([port]);
  const ends = await createEndWatch({ url, sql: endsSql });
  return {
    parts: parts.list,
    http,
    ends,
    systems: [
      {
        name,
        async accept() {
          const answer = await expectStatus(http, START_RUN, 201);
          return (JSON.parse(answer) as { id: string }).id;
        },
        untilEnded: (id) => ends.untilEnded(id),
        http: { origin: `http://127.0.0.1:${port}`, getRun: readRun, startOnce: null },
      },
    ],
    async stop() {
      // In this order: a held Postgres would not close the connection.
      await parts.stop();
      await ends.close();
    },
  };
}

const START_RUN: HttpRequest = {
  method: "POST",
  path: "/runs",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ input: RUN_INPUT }),
};

function readRun(id: string): HttpRequest {
  return { method: "GET", path: `/runs/${id}`, headers: {} };
}
