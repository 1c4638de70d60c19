// Charts as SVG text, on a background of their own: the page that shows them may be light or dark.

const FONT = `font-family="system-ui, sans-serif" font-size="13"`;
const COLORS = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#777777"];
const INK = "#222222";
const RULE = "#cccccc";

/** One bar; several parts are placed end to end. */
interface BarRow {
  label: string;
  parts: readonly { name: string; value: number }[];
  /** Shown after the bar. */
  text: string;
}

export interface BarChart {
  title: string;
  groups: readonly { title: string; rows: readonly BarRow[] }[];
}

const ROW = 22;
const LEFT = 190;
const BAR_WIDTH = 430;
const WIDTH = 720;

/** Horizontal bars on one scale, with a legend when any has several parts. */
export function toBarChart({ title, groups }: BarChart): string {
  const rows = groups.flatMap((group) => group.rows);
  const names = [...new Set(rows.flatMap(({ parts }) => parts.map(({ name }) => name)))];
  const isStacked = rows.some(({ parts }) => parts.length > 1);
  const most = Math.max(...rows.map(({ parts }) => sumOf(parts)), Number.MIN_VALUE);
  const drawn: string[] = [];
  let y = 34;
  if (isStacked) {
    drawn.push(legend(names, y));
    y += ROW;
  }
  for (const group of groups) {
    drawn.push(text(12, y + 15, group.title, `font-weight="600"`));
    y += ROW;
    for (const row of group.rows) {
      let x = LEFT;
      drawn.push(text(LEFT - 8, y + 15, row.label, `text-anchor="end"`));
      for (const { name, value } of row.parts) {
        const width = (value / most) * BAR_WIDTH;
        drawn.push(rect({ x, y: y + 3, width, fill: colorOf(names.indexOf(name)) }));
        x += width;
      }
      drawn.push(text(x + 6, y + 15, row.text));
      y += ROW;
    }
    y += 8;
  }
  return frame({ title, height: y + 6, body: drawn });
}

export interface LineChart {
  title: string;
  /** Title of the x axis. */
  x: string;
  lines: readonly { name: string; points: readonly (readonly [number, number])[] }[];
  /** Whether the x axis is logarithmic. */
  isLogarithmic?: boolean;
}

const PLOT = { left: 70, top: 70, width: 610, height: 230 } as const;

/** Lines on common axes; the y axis starts at 0. */
export function toLineChart({ title, x, lines, isLogarithmic = false }: LineChart): string {
  const points = lines.flatMap((line) => line.points);
  const scale = (value: number): number => (isLogarithmic ? Math.log(value) : value);
  const xs = [...new Set(points.map(([at]) => at))].sort((a, b) => a - b);
  const [from, to] = [scale(xs[0] ?? 0), scale(xs.at(-1) ?? 1)];
  const most = Math.max(...points.map(([, value]) => value), Number.MIN_VALUE) * 1.1;
  const toX = (at: number): number =>
    PLOT.left + ((scale(at) - from) / (to - from || 1)) * PLOT.width;
  const toY = (value: number): number => PLOT.top + PLOT.height * (1 - value / most);
  const bottom = PLOT.top + PLOT.height;
  const drawn = [
    legend(
      lines.map(({ name }) => name),
      34,
    ),
  ];
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    const y = toY(most * share);
    drawn.push(
      `<line x1="${PLOT.left}" y1="${round(y)}" x2="${PLOT.left + PLOT.width}" y2="${round(y)}" stroke="${RULE}"/>`,
      text(PLOT.left - 8, y + 4, shortNumber(most * share), `text-anchor="end"`),
    );
  }
  for (const at of thin(xs)) {
    drawn.push(text(toX(at), bottom + 18, shortNumber(at), `text-anchor="middle"`));
  }
  drawn.push(text(PLOT.left + PLOT.width / 2, bottom + 38, x, `text-anchor="middle"`));
  for (const [index, line] of lines.entries()) {
    const path = line.points.map(([at, value]) => `${round(toX(at))},${round(toY(value))}`);
    const stroke = `stroke="${colorOf(index)}" stroke-width="2" fill="none"`;
    drawn.push(`<polyline points="${path.join(" ")}" ${stroke}/>`);
  }
  return frame({ title, height: bottom + 54, body: drawn });
}

/** At most a dozen of the x axis's labels. */
function thin(xs: readonly number[]): number[] {
  const every = Math.ceil(xs.length / 12);
  return xs.filter((_, index) => index % every === 0);
}

function legend(names: readonly string[], y: number): string {
  let x = 12;
  const drawn = names.map((name, index) => {
    const entry =
      rect({ x, y: y + 3, width: 12, fill: colorOf(index) }) + text(x + 17, y + 15, name);
    x += 40 + name.length * 7.5;
    return entry;
  });
  return drawn.join("\n");
}

interface Frame {
  title: string;
  height: number;
  body: readonly string[];
}

function frame({ title, height, body }: Frame): string {
  const box = `viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${box} ${FONT} fill="${INK}" role="img">`,
    `<title>${escape(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(12, 22, title, `font-size="15" font-weight="600"`),
    ...body,
    "</svg>\n",
  ].join("\n");
}

interface Rect {
  x: number;
  y: number;
  width: number;
  fill: string;
}

function rect({ x, y, width, fill }: Rect): string {
  return `<rect x="${round(x)}" y="${y}" width="${round(width)}" height="${ROW - 8}" fill="${fill}"/>`;
}

// oxlint-disable-next-line max-params -- place, text and looks, as in SVG itself
function text(x: number, y: number, content: string, looks = ""): string {
  return `<text x="${round(x)}" y="${round(y)}" ${looks}>${escape(content)}</text>`;
}

function escape(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function colorOf(index: number): string {
  return COLORS[index % COLORS.length] ?? INK;
}

function sumOf(parts: BarRow["parts"]): number {
  return parts.reduce((sum, { value }) => sum + value, 0);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Such as 0.5, 1234, 12.3k or 1.5M. */
function shortNumber(value: number): string {
  if (value >= 1_000_000) return `${round(value / 1_000_000)}M`;
  if (value >= 10_000) return `${round(value / 1_000)}k`;
  return String(value >= 100 ? Math.round(value) : round(value));
}
