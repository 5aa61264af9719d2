/** Rows as the lines that COPY … FROM STDIN reads, in Postgres's text format. */

export type Cell = string | number | boolean | null;
export type Row = readonly Cell[];

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

const LINES_A_CHUNK = 500;

/** Chunks of lines: a chunk a row would cost more than the rows. */
export function* copyText(rows: Iterable<Row>): Generator<string> {
  let lines: string[] = [];
  for (const row of rows) {
    lines.push(`${row.map(cellText).join("\t")}\n`);
    if (lines.length === LINES_A_CHUNK) {
      yield lines.join("");
      lines = [];
    }
  }
  yield lines.join("");
}

function cellText(cell: Cell): string {
  if (cell === null) return "\\N";
  return String(cell).replace(/[\\\n\r\t]/g, (character) => ESCAPES[character] ?? character);
}

/** The literal of a `text[]`. */
export function textArray(items: readonly (string | null)[]): string {
  const quoted = items.map((item) =>
    item === null ? "NULL" : `"${item.replace(/["\\]/g, (character) => `\\${character}`)}"`,
  );
  return `{${quoted.join(",")}}`;
}

/** The literal of a `bytea`. */
export function bytea(bytes: readonly number[]): string {
  return `\\x${Buffer.from(bytes).toString("hex")}`;
}
