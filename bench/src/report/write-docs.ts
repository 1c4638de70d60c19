import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PROJECT_DIR } from "@truerun/dev/project-paths";
import { toLine } from "./provenance.ts";
import type { Results } from "./results-file.ts";
import { toSections } from "./sections.ts";

const DOCS_DIR = join(PROJECT_DIR, "docs");

/** Writes charts, and tables between the documentation's markers, of what was measured. */
export async function writeDocs(results: Results): Promise<void> {
  for (const { name, page, provenance, charts, tables } of toSections(results)) {
    await writeCharts(page, charts);
    const from = provenance === null ? [] : [toLine(provenance)];
    const pictures = Object.keys(charts).map((file) => `![${file}](${page}/${file})`);
    await writeBlock(`${page}.md`, name, [...from, ...pictures, ...tables]);
  }
}

async function writeCharts(folder: string, charts: Record<string, string>): Promise<void> {
  await mkdir(join(DOCS_DIR, folder), { recursive: true });
  for (const [name, svg] of Object.entries(charts)) {
    await writeFile(join(DOCS_DIR, folder, name), svg);
  }
}

async function writeBlock(file: string, name: string, paragraphs: string[]): Promise<void> {
  const path = join(DOCS_DIR, file);
  const text = await readFile(path, "utf8");
  await writeFile(path, replaceBlock(text, name, paragraphs.join("\n\n")));
}

/**
 * Replaces what is between `<!-- bench:name -->` and `<!-- /bench:name -->` with a block.
 *
 * @throws when there are no such markers
 */
export function replaceBlock(text: string, name: string, block: string): string {
  const [begin, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`The text has no ${begin} ... ${end}`);
  return `${text.slice(0, from + begin.length)}\n\n${block}\n\n${text.slice(to)}`;
}
