import { ApplicationFailure } from "@temporalio/common";
import { stringify } from "csv-stringify/sync";
import { z } from "zod";
import { defineComponent } from "../component.ts";
import { shortHash } from "../short-hash.ts";
import { writeOnce } from "../write-once.ts";

const MAX_ROWS = 10_000;
/** As in spreadsheets. */
const MAX_COLUMNS = 16_384;
/** Of rows and columns together: a small input can name very many, and all are in memory at once. */
const MAX_CELLS = 1_000_000;

/** Writes rows as CSV into the outbox folder (`OUTBOX_DIR`). */
export default defineComponent({
  action: "write_csv",
  title: "Write CSV",
  description:
    "Writes a list of rows as a CSV file (RFC 4180, UTF-8) into the outbox folder, named after the step and its content, so that another attempt writes nothing twice. Rows that are null, such as items of a for_each that failed, are left out. A table has at most 10,000 rows and a million cells. Cells that a spreadsheet would take for a formula are written as text.",
  input: z.strictObject({
    rows: z.array(z.record(z.string(), z.unknown()).nullable()).max(MAX_ROWS),
    columns: z
      .array(z.string())
      .min(1)
      .max(MAX_COLUMNS)
      .refine((names) => new Set(names).size === names.length, "A column is named twice")
      .optional()
      .describe("Which members of the rows, and their order; default: those of the first row"),
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/)
      .default("table")
      .describe("What the file's name begins with"),
  }),
  output: z.strictObject({
    file: z.string().describe("Name inside the outbox folder"),
    row_count: z.int(),
    missing_count: z.int().describe("Rows that were null"),
  }),
  async run({ input, config, log, idempotencyKey }) {
    const rows = input.rows.filter((row) => row !== null);
    const columns = input.columns ?? Object.keys(rows[0] ?? {});
    if (rows.length * columns.length > MAX_CELLS) throw tooLarge(rows.length, columns.length);
    const content = toCsv(rows, columns);
    // The content too: a step of a run that was reset has the same key, and may have other rows.
    const identity = `write_csv ${idempotencyKey}\n${content}`;
    const file = `${input.name}-${shortHash(identity, 16)}.csv`;
    await writeOnce({ folder: config.outboxDir, file, content });
    log.info({ file, count: rows.length }, "wrote a CSV file");
    return {
      output: { file, row_count: rows.length, missing_count: input.rows.length - rows.length },
      artifacts: [{ artifact_type: "file", id: file, role: "result" }],
    };
  },
});

function tooLarge(rows: number, columns: number): ApplicationFailure {
  const message = `${rows} rows of ${columns} columns are more than ${MAX_CELLS} cells`;
  return ApplicationFailure.nonRetryable(message, "TooLarge");
}

function toCsv(rows: readonly Record<string, unknown>[], columns: readonly string[]): string {
  const cells = rows.map((row) =>
    columns.map((column) => (Object.hasOwn(row, column) ? toCell(row[column]) : "")),
  );
  return stringify([[...columns], ...cells], {
    record_delimiter: "windows",
    escape_formulas: true,
  });
}

function toCell(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
