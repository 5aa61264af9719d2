/** Events of a task that loads one day, as the engine emits them. */
import type { Failure, SluiceEvents } from "../../../src/core/events.ts";

export function load(date: string): SluiceEvents["task:started"] {
  return {
    task: {
      id: `LoadTable_${date}_0123456789`,
      name: `LoadTable(date=${date})`,
      family: "LoadTable",
    },
    queue: "load",
    root: `AllTasks_${date}_9876543210`,
    attempt: { id: `attempt-of-${date}`, number: 1 },
  };
}

export const failure: Failure = {
  code: "BAD_ROW",
  message: "line 3: not a number",
  fingerprint: "LoadTable/BAD_ROW",
};
