/** The last line of `--json`. */
import { z } from "zod";
import type { Ended } from "./command.ts";

const summary = z.strictObject({
  root: z.string(),
  status: z.enum(["done", "failed", "pending"]),
  tasks: z.strictObject({
    done: z.int(),
    ran: z.int(),
    complete: z.int(),
    failed: z.int(),
    pending: z.int(),
  }),
  rows: z.int(),
  seconds: z.number(),
});

export function summaryOf({ stdout, output }: Ended): z.output<typeof summary> {
  const last = stdout.trimEnd().split("\n").at(-1) ?? "";
  try {
    return summary.parse(JSON.parse(last));
  } catch (cause) {
    throw new Error(`the last line is no summary: ${last}\n${output}`, { cause });
  }
}
