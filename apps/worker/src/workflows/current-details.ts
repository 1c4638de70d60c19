import type { RunStatus } from "@truerun/shared/contracts/statuses";
import { clipUtf8 } from "@truerun/shared/storable-text";
import type { StepRow } from "../mirror/mirror-record.ts";

/** Rows shown at most: the details travel with queries, and a page of more is no help. */
const MAX_ROWS = 100;

/** The steps as a Markdown table, for the run's page in Temporal Web UI. */
export function renderDetails(
  lines: readonly string[],
  run: { status: RunStatus; message: string | null },
): string {
  const shown = lines.slice(-MAX_ROWS);
  return [
    `**${run.status}**${run.message === null ? "" : `: ${cell(run.message)}`}`,
    "",
    "| # | Step | Action | Status | Message |",
    "|---|---|---|---|---|",
    ...shown,
    ...(lines.length > shown.length
      ? ["", `The last ${shown.length} of ${lines.length} steps.`]
      : []),
  ].join("\n");
}

/** One step as a line of that table. */
export function renderRow(row: StepRow): string {
  const status = row.status ?? "running";
  const cells = [
    row.ordinal + 1,
    cell(row.component_name),
    `\`${row.action_type}\``,
    status,
    cell(row.message ?? ""),
  ];
  return `| ${cells.join(" | ")} |`;
}

function cell(text: string): string {
  return clipUtf8(text.replaceAll(/[\r\n]+/g, " ").replaceAll("|", "\\|"), 200);
}
