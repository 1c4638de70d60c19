export interface BannerFacts {
  apiUrl: string;
  /** Null when its address is unknown. */
  temporalUiUrl: string | null;
  demoKey: string;
  dataDir: string;
}

const EXAMPLE = "quarterly-privacy-sweep";
const EXAMPLE_INPUT = {
  vendor_filter: { tags: ["processes_pii"] },
  due_date: "2026-06-30",
};

/** What is printed when everything runs; the commands in it work as they are. */
export function toBanner(facts: BannerFacts): string {
  const { apiUrl, demoKey } = facts;
  const header = `-H 'Authorization: Bearer ${demoKey}'`;
  return `
truerun is ready.

  API              ${apiUrl}
  API reference    ${apiUrl}/docs
  Temporal Web UI  ${facts.temporalUiUrl ?? "unknown; set TEMPORAL_UI_URL"}
  Demo key         ${demoKey}
  Data and logs    ${facts.dataDir}

Start a run:

  curl -sS -X POST ${apiUrl}/v1/workflows/${EXAMPLE}/run \\
    ${header} -H 'Content-Type: application/json' \\
    -d '${JSON.stringify({ input: EXAMPLE_INPUT })}'

Read it, with the workflow_run_id of the answer:

  curl -sS ${apiUrl}/v1/workflows/runs/<workflow_run_id> ${header}

Its last step waits for a person's review. Approve it, by its step_id:

  curl -sS -X POST ${apiUrl}/v1/workflows/runs/<workflow_run_id>/reviews/<step_id> \\
    ${header} -H 'Content-Type: application/json' -d '{"decision":"approve"}'

Ctrl-C stops everything; the data stays.
`;
}
