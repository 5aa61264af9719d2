/**
 * Prints lines for a person: on a terminal long ones are broken at words and keep their indentation.
 * A pipe gets them whole, and so does whoever copies a command: that is never broken.
 */
import { displayWidth } from "./progress/display-width.ts";
import type { Terminal } from "./terminal.ts";

export function printPage(terminal: Terminal, lines: readonly string[]): void {
  const { isTTY, columns } = terminal.out;
  for (const line of lines) {
    const parts = isTTY && columns !== undefined ? wrapLine(line, columns) : [line];
    for (const part of parts) terminal.print(part);
  }
}

/** A word that is longer than a line stays whole. */
export function wrapLine(line: string, width: number): string[] {
  if (displayWidth(line) <= width || /\bit: sluice /.test(line)) return [line];
  const indent = /^ */.exec(line)?.[0] ?? "";
  const parts: string[] = [];
  let part = "";
  for (const word of line.trimStart().split(" ")) {
    const longer = part === "" ? indent + word : `${part} ${word}`;
    if (part !== "" && displayWidth(longer) > width) {
      parts.push(part);
      part = indent + word;
    } else {
      part = longer;
    }
  }
  return [...parts, part];
}
