import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AttemptOptions, runComponent } from "../component-kit/run-component.ts";
import writeCsv from "./write-csv.ts";

describe("write_csv", () => {
  let outboxDir: string;
  beforeEach(async () => {
    outboxDir = await mkdtemp(join(tmpdir(), "outbox-"));
  });
  afterEach(() => rm(outboxDir, { recursive: true, force: true }));

  const write = (rawInput: object, attempt: AttemptOptions = {}) =>
    runComponent(writeCsv, { ...attempt, rawInput, env: { OUTBOX_DIR: outboxDir } });

  it("writes the rows under the first one's members, and leaves out what is null", async () => {
    const rows = [{ name: "a, b", n: 1 }, null, { n: null, name: 'say "x"\n', other: 1 }];
    const { output, artifacts } = await write({ rows, name: "sweep" });
    expect(output).toMatchObject({ row_count: 2, missing_count: 1 });
    expect(output.file).toMatch(/^sweep-[0-9a-f]{16}\.csv$/);
    expect(artifacts).toEqual([{ artifact_type: "file", id: output.file, role: "result" }]);
    expect(await readFile(join(outboxDir, output.file), "utf8")).toBe(
      'name,n\r\n"a, b",1\r\n"say ""x""\n",\r\n',
    );
  });

  it("writes the columns that are asked for; lists and objects as JSON, formulas as text", async () => {
    const rows: object[] = [
      { a: [1], b: { c: true } },
      { a: "=1+1", constructor: "@x" },
    ];
    const { output } = await write({ rows, columns: ["b", "a", "constructor"] });
    expect(await readFile(join(outboxDir, output.file), "utf8")).toBe(
      'b,a,constructor\r\n"{""c"":true}",[1],\r\n,\'=1+1,\'@x\r\n',
    );
  });

  it("writes a file of a name that an attempt of any release gives it", async () => {
    const { output } = await write({ rows: [{ a: "é" }] });
    expect(output.file).toBe("table-a1f96451566064f4.csv");
  });

  it("writes nothing twice, and another file in another step", async () => {
    const first = await write({ rows: [{ a: 1 }] });
    await writeFile(join(outboxDir, first.output.file), "read by somebody");
    expect((await write({ rows: [{ a: 1 }] }, { attempt: 2 })).output).toEqual(first.output);
    expect(await readFile(join(outboxDir, first.output.file), "utf8")).toBe("read by somebody");
    await write({ rows: [{ a: 1 }] }, { stepKey: "other" });
    expect(await readdir(outboxDir)).toHaveLength(2);
  });

  it("writes another file when its run was reset and the rows are others", async () => {
    const first = await write({ rows: [{ a: 1 }] });
    const again = await write({ rows: [{ a: 2 }] });
    expect(await readFile(join(outboxDir, first.output.file), "utf8")).toBe("a\r\n1\r\n");
    expect(await readFile(join(outboxDir, again.output.file), "utf8")).toBe("a\r\n2\r\n");
  });

  it("refuses a table that is far larger than what names it", async () => {
    const rows = Array.from({ length: 10_000 }, () => ({}));
    const columns = Array.from({ length: 200 }, (_, n) => n.toString(36));
    await expect(write({ rows, columns })).rejects.toThrow(
      "10000 rows of 200 columns are more than 1000000 cells",
    );
    expect(await readdir(outboxDir)).toEqual([]);
  });

  it("refuses a column that is named twice: a small input could print a large member very often", async () => {
    const columns = Array.from({ length: 10_000 }, () => "a");
    await expect(write({ rows: [{ a: { b: "x".repeat(500_000) } }], columns })).rejects.toThrow(
      "A column is named twice",
    );
    expect(await readdir(outboxDir)).toEqual([]);
  });

  it("writes an empty table of nothing", async () => {
    expect((await write({ rows: [] })).output).toMatchObject({ row_count: 0 });
  });

  it.each(["../x", "", "a/b"])("refuses the name %j", async (name) => {
    await expect(write({ rows: [], name })).rejects.toMatchObject({ type: "InvalidInput" });
  });
});
