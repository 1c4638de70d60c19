/** What the user at the terminal sees: lines that stay, and below them one that shows the progress. */
export interface Display {
  line(text: string): void;
  /** Replaces the last line; without a terminal it is only written now and then. */
  status(text: string): void;
  close(): void;
}

const WITHOUT_TERMINAL_EVERY_MS = 15_000;
const CLEAR_LINE = "\r\u001b[2K";

export function createDisplay(out: NodeJS.WriteStream): Display {
  let shown = "";
  let writtenAt = 0;
  const redraw = (): void => {
    if (out.isTTY && shown !== "") out.write(`${CLEAR_LINE}${shown.slice(0, out.columns - 1)}`);
  };
  return {
    line(text) {
      if (out.isTTY && shown !== "") out.write(CLEAR_LINE);
      out.write(`${text}\n`);
      redraw();
    },
    status(text) {
      shown = text;
      redraw();
      if (out.isTTY || Date.now() - writtenAt < WITHOUT_TERMINAL_EVERY_MS) return;
      writtenAt = Date.now();
      out.write(`${text}\n`);
    },
    close() {
      if (out.isTTY && shown !== "") out.write(CLEAR_LINE);
      shown = "";
    },
  };
}

const BAR_WIDTH = 24;

/** `[######------]  50 %`; `share` is 0 to 1. */
export function toBar(share: number): string {
  const bounded = Math.min(1, Math.max(0, share));
  const filled = Math.round(bounded * BAR_WIDTH);
  const percent = String(Math.round(bounded * 100)).padStart(3);
  return `[${"#".repeat(filled)}${"-".repeat(BAR_WIDTH - filled)}] ${percent} %`;
}
