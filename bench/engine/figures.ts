/** What one round of a graph measures. Milliseconds, and bytes where it says so. */
import { z } from "zod";

export const figures = z.object({
  tasks: z.number(),
  expand: z.number(),
  drain: z.number(),
  again: z.number(),
  /** Of Redis, a task, when all are enqueued and none has run. */
  bytes: z.number(),
  /** The most that the process held while it expanded, in bytes. */
  rss: z.number(),
  /** 99th percentile of the event loop's delay while it expanded. */
  delay: z.number(),
  rawAdd: z.number(),
  rawDrain: z.number(),
  /** Ours over raw's rate: of the round, because the machine's speed differs from one to the next. */
  ratio: z.number(),
  ratioWithInsert: z.number(),
  /** CPU of the process while it drained, ours and raw. */
  cpu: z.number(),
  rawCpu: z.number(),
});

export type Figures = z.output<typeof figures>;

/** Of each figure by itself. */
export function medianOf(rounds: readonly Figures[]): Figures {
  const median = (figure: keyof Figures): [string, number | undefined] => {
    const sorted = rounds.map((round) => round[figure]).sort((a, b) => a - b);
    return [figure, sorted[Math.floor(sorted.length / 2)]];
  };
  return figures.parse(Object.fromEntries(figures.keyof().options.map(median)));
}
