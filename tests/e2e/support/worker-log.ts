/** What worker and scheduler processes say: one JSON object a line. */
import { z } from "zod";
import type { Command } from "./command.ts";

const line = z.looseObject({
  level: z.string(),
  msg: z.string(),
  task: z.object({ id: z.string(), name: z.string(), family: z.string() }).optional(),
  attempt: z.object({ id: z.string(), number: z.number() }).optional(),
});

export type LogLine = z.output<typeof line>;

/** The lines so far that are complete. */
export function logOf(command: Command): readonly LogLine[] {
  return command
    .output()
    .split("\n")
    .slice(0, -1)
    .filter((text) => text.startsWith("{"))
    .map((text) => line.parse(JSON.parse(text)));
}

/** Names of the tasks of such lines (`task:started`), of several processes, in no order. */
export function tasksIn(message: string, commands: readonly Command[]): string[] {
  return commands.flatMap((command) =>
    logOf(command).flatMap(({ msg, task }) =>
      msg === message && task !== undefined ? [task.name] : [],
    ),
  );
}
