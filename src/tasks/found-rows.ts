/**
 * What a check found, as text for an error: a few rows, a few columns, each cut. A row may be megabytes
 * long, and an error ends up in logs and alerts.
 */
import { MOST_FOUND } from "../sql/checks.ts";

export type Found = readonly Readonly<Record<string, unknown>>[];

const SHOWN_ROWS = 3;
const SHOWN_COLUMNS = 8;
const SHOWN_LENGTH = 40;

/** Undefined when nothing was found. */
export function complain(problem: string, found: Found): string | undefined {
  if (found.length === 0) return undefined;
  const many = found.length < MOST_FOUND ? `${found.length}` : `${MOST_FOUND} or more`;
  const shown = found.slice(0, SHOWN_ROWS).map(rowText).join(" ");
  return `${problem} (${many} ${found.length === 1 ? "row" : "rows"}, for example ${shown})`;
}

function rowText(row: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(row);
  const texts = entries
    .slice(0, SHOWN_COLUMNS)
    .map(([name, value]) => `${name}: ${cut(valueText(value), SHOWN_LENGTH)}`);
  return `{${texts.join(", ")}${entries.length > SHOWN_COLUMNS ? ", …" : ""}}`;
}

function valueText(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  return typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
}

/** One line of at most so many characters. */
export function cut(text: string, length: number): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > length ? `${line.slice(0, length)}…` : line;
}
