import { expect, test } from "vitest";
import { printPage, wrapLine } from "../../../src/cli/print-page.ts";
import { createTerminal } from "../../../src/cli/terminal.ts";

test("a long line is broken at words and keeps its indentation", () => {
  expect(wrapLine("    the row is bad: 12,99 is no number", 20)).toEqual([
    "    the row is bad:",
    "    12,99 is no",
    "    number",
  ]);
});

test("a word without end and a command stay whole", () => {
  expect(wrapLine("  postgres://a-very-long-host/x y", 10)).toEqual([
    "  postgres://a-very-long-host/x",
    "  y",
  ]);
  const command = "  retry it: sluice retry LoadOrders --date 2026-11-21";
  expect(wrapLine(command, 20)).toEqual([command]);
});

test.each([
  [true, "a b\nc\n"],
  [false, "a b c\n"],
])("on a terminal (%s) lines fit", (isTTY, expected) => {
  let written = "";
  const out = { isTTY, columns: 4, write: (text: string) => (written += text) };
  printPage(createTerminal(out, out, false), ["a b c"]);
  expect(written).toBe(expected);
});
