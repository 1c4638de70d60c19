import type { RunStatus } from "@truerun/shared/contracts/statuses";
import { forgetOldest } from "@truerun/shared/forget-oldest";
import { clipUtf8 } from "@truerun/shared/storable-text";
import { setCurrentDetails } from "@temporalio/workflow";
import type { StepRow } from "../mirror/mirror-record.ts";

/** Rows shown at most: the details travel with queries, and a longer page is no help. */
const MAX_ROWS = 100;

/** The steps as a Markdown table, live on the run's page in Temporal Web UI. */
export class CurrentDetails {
  /** The newest rows, by step key. */
  readonly #lines = new Map<string, string>();
  #count = 0;

  /** Shows a step as it is now; `count` is how many there are by now. */
  show(row: StepRow, count: number): void {
    this.#count = count;
    this.#lines.set(row.step_key, renderRow(row));
    forgetOldest(this.#lines, MAX_ROWS);
    this.#publish("started", null);
  }

  /** Shows how the run, or the batch, ended. */
  end(status: RunStatus, message: string | null): void {
    this.#publish(status, message);
  }

  #publish(status: RunStatus, message: string | null): void {
    const shown = [...this.#lines.values()];
    const text = [
      `**${status}**${message === null ? "" : `: ${cell(message)}`}`,
      "",
      "| # | Step | Action | Status | Message |",
      "|---|---|---|---|---|",
      ...shown,
      ...(this.#count > shown.length
        ? ["", `The last ${shown.length} of ${this.#count} steps.`]
        : []),
    ].join("\n");
    setCurrentDetails(text);
  }
}

function renderRow(row: StepRow): string {
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
