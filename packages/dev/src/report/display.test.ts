import { expect, test } from "vitest";
import { createDisplay, toBar } from "./display.ts";

/** A display on a terminal, or on a file. */
function open(isTTY: boolean) {
  let written = "";
  const out = { isTTY, columns: 20, write: (text: string) => ((written += text), true) };
  return { display: createDisplay(out as unknown as NodeJS.WriteStream), read: () => written };
}

test("at a terminal the last line says how far it is, below the lines that stay, and fits in", () => {
  const { display, read } = open(true);
  display.status("a third of everything is done");
  display.line("a fault");
  display.close();
  const clear = "\r\u001b[2K";
  const status = "a third of everythi";
  expect(read()).toBe(`${clear}${status}${clear}a fault\n${clear}${status}${clear}`);
});

test("elsewhere it is written now and then, and in whole lines", () => {
  const { display, read } = open(false);
  display.status("1 %");
  display.status("2 %");
  display.line("a fault");
  display.close();
  expect(read()).toBe("1 %\na fault\n");
});

test("a bar is empty at 0, full at 1 and never longer", () => {
  expect(toBar(0)).toBe(`[${"-".repeat(24)}]   0 %`);
  expect(toBar(0.5)).toBe(`[${"#".repeat(12)}${"-".repeat(12)}]  50 %`);
  expect(toBar(1.2)).toBe(`[${"#".repeat(24)}] 100 %`);
});
