import { definitionName } from "../load/load-plan.ts";

/** A question asked of both a small and a large org. */
export interface ReadQuery {
  name: string;
  /** Path and query for an org with `runs` runs, none of which started later than `endMs`. */
  path: (org: { runs: number; endMs: number; days: number }) => string;
}

const list = (query: string) => `/v1/workflows/runs?${query}`;
const often = `workflow_name=${definitionName(0)}`;

/** The middle third of the period; both bounds lie within blocks. */
function window({ endMs, days }: { endMs: number; days: number }): string {
  const daySeconds = 86_400;
  const end = Math.floor(endMs / 1_000);
  const [after, before] = [end - (2 / 3) * days * daySeconds, end - (1 / 3) * days * daySeconds];
  return `created_at_after=${Math.floor(after)}&created_at_before=${Math.floor(before)}`;
}

/** Each gives a full page even at 10,000 runs, so that pages of equal length are compared. */
export const READ_QUERIES: readonly ReadQuery[] = [
  { name: "first page", path: () => list("") },
  { name: "page at half of the runs", path: ({ runs }) => list(`offset=${runs / 2}`) },
  { name: "last page", path: ({ runs }) => list(`offset=${runs - 100}`) },
  { name: "by a frequent name", path: () => list(often) },
  { name: "by a rare name", path: () => list(`workflow_name=${definitionName(19)}`) },
  { name: "started", path: () => list("status=started") },
  { name: "completed", path: () => list("status=completed") },
  { name: "canceled", path: () => list("status=canceled") },
  { name: "failed", path: () => list("status=failed") },
  { name: "window", path: (org) => list(window(org)) },
  {
    name: "name, two statuses and window",
    path: (org) => list(`${often}&status=completed&status=failed&${window(org)}`),
  },
  {
    name: "the same at a twentieth of the runs",
    path: (org) =>
      list(`${often}&status=completed&status=failed&${window(org)}&offset=${org.runs / 20}`),
  },
];
