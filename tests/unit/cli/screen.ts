/**
 * A terminal of a few lines: what a person would see after everything that was written. It knows just
 * the sequences that the live progress uses and refuses all others.
 */
export class Screen {
  readonly isTTY = true;
  columns: number;
  readonly rows: number;
  /** Every write, for tests of how often and how much is written. */
  readonly writes: string[] = [];
  cursorVisible = true;
  readonly #lines: string[] = [""];
  #row = 0;
  #column = 0;

  constructor(columns: number, rows = 50) {
    this.columns = columns;
    this.rows = rows;
  }

  /** Wraps what is shown, as terminals do when they are made narrower. */
  resize(columns: number): void {
    const wrapped = this.#lines.flatMap((line) => {
      const parts = line.match(new RegExp(`.{1,${columns}}`, "gu"));
      return parts === null ? [""] : [...parts];
    });
    this.#lines.splice(0, this.#lines.length, ...wrapped);
    this.#row = wrapped.length - 1;
    this.columns = columns;
  }

  /** Without trailing spaces and empty lines at the end. */
  get lines(): string[] {
    const lines = this.#lines.map((line) => line.trimEnd());
    while (lines.at(-1) === "") lines.pop();
    return lines;
  }

  write(text: string): void {
    this.writes.push(text);
    // eslint-disable-next-line no-control-regex -- a terminal is controlled by these
    for (const [token] of text.matchAll(/\x1b\[[?\d;]*[A-Za-z]|[^]/gu)) this.#take(token);
  }

  #take(token: string): void {
    if (token === "\n") {
      this.#row += 1;
      this.#column = 0;
      this.#lines[this.#row] ??= "";
    } else if (token === "\x1b[?25l") this.cursorVisible = false;
    else if (token === "\x1b[?25h") this.cursorVisible = true;
    else if (token === "\x1b[K") {
      this.#lines[this.#row] = (this.#lines[this.#row] ?? "").slice(0, this.#column);
    } else if (token === "\x1b[J") {
      this.#lines.length = this.#row + 1;
      this.#lines[this.#row] = (this.#lines[this.#row] ?? "").slice(0, this.#column);
    } else if (/^.\[\d+A$/.test(token)) this.#row -= Number(token.slice(2, -1));
    else if (!/^.\[\d+m$/.test(token)) this.#put(token);
  }

  #put(char: string): void {
    if (char < " ") throw new Error(`the screen does not know ${JSON.stringify(char)}`);
    if (this.#row < 0) throw new Error("the cursor left the screen");
    if (this.#column === this.columns) throw new Error("a line is wider than the terminal");
    const line = (this.#lines[this.#row] ?? "").padEnd(this.#column);
    this.#lines[this.#row] = line.slice(0, this.#column) + char + line.slice(this.#column + 1);
    this.#column += 1;
  }
}
