/**
 * Progress as a block at the end of the terminal that is redrawn in place: one write a frame, every
 * line cleared only to its right, so nothing flickers. Times go on between two looks at the tasks.
 */
import type { Task } from "../../core/task.ts";
import type { Watched } from "../../queue/watch.ts";
import { type FrameLine, frame } from "./frame.ts";
import { oneLine } from "./one-line.ts";
import type { Progress, ProgressStream, TaskDetails } from "./progress.ts";
import { NOTHING, tally } from "./tally.ts";

const MILLISECONDS_PER_FRAME = 250;
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const CLEAR_RIGHT = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";

export class LiveProgress implements Progress {
  readonly #stream: ProgressStream;
  readonly #root: Task;
  readonly #clock: () => number;
  readonly #started: number;
  readonly #timer: NodeJS.Timeout;
  #tally = NOTHING;
  #details: TaskDetails = new Map();
  /** When running tasks were first seen running, by task id. */
  #since: ReadonlyMap<string, number> = new Map();
  /** What the terminal shows. */
  #drawn: readonly FrameLine[] = [];
  #closed = false;

  constructor(stream: ProgressStream, root: Task, clock: () => number) {
    this.#stream = stream;
    this.#root = root;
    this.#clock = clock;
    this.#started = clock();
    this.#timer = setInterval(() => this.#draw(), MILLISECONDS_PER_FRAME).unref();
    stream.write(HIDE_CURSOR);
  }

  readonly update = (watched: Watched, details: TaskDetails = new Map()): void => {
    const now = this.#clock();
    this.#tally = tally(watched);
    this.#details = details;
    this.#since = new Map(
      this.#tally.running.map(({ id }) => [id, this.#since.get(id) ?? now] as const),
    );
    this.#draw();
  };

  readonly note = (line: string): void => {
    this.#draw(`${oneLine(line)}\n`);
  };

  readonly close = (): void => {
    if (this.#closed) return;
    clearInterval(this.#timer);
    this.#draw();
    this.#closed = true;
    this.#stream.write(SHOW_CURSOR);
  };

  /** Replaces the block by the current picture, below text that is to stay. */
  #draw(above = ""): void {
    if (this.#closed) return;
    const columns = this.#stream.columns ?? 80;
    const next = this.#tally.total === 0 ? [] : this.#picture(columns);
    if (above === "" && isSame(next, this.#drawn)) return;
    const lines = next.map(({ text }) => `${text}${CLEAR_RIGHT}\n`).join("");
    const stays = above.replaceAll("\n", `${CLEAR_RIGHT}\n`);
    this.#stream.write(`${this.#toTop(columns)}${stays}${lines}${CLEAR_BELOW}`);
    this.#drawn = next;
  }

  #picture(columns: number): FrameLine[] {
    const now = this.#clock();
    return frame({
      root: this.#root,
      tally: this.#tally,
      details: this.#details,
      elapsed: (now - this.#started) / 1000,
      runningFor: (id) => (now - (this.#since.get(id) ?? now)) / 1000,
      columns,
      rows: this.#stream.rows ?? 24,
    });
  }

  /** To the first line of the block. A terminal made narrower has wrapped what was drawn. */
  #toTop(columns: number): string {
    const rows = this.#drawn.reduce(
      (sum, { width }) => sum + Math.max(1, Math.ceil(width / columns)),
      0,
    );
    return rows === 0 ? "" : `\x1b[${rows}A`;
  }
}

function isSame(a: readonly FrameLine[], b: readonly FrameLine[]): boolean {
  return a.length === b.length && a.every(({ text }, index) => text === b[index]?.text);
}
