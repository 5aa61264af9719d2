/** Random graphs without circles, and random things that happen to them. */
import * as fc from "fast-check";
import type { Reference } from "./reference.ts";

export const graphs = (size: number) =>
  fc
    .array(fc.array(fc.integer({ min: 1, max: size }), { maxLength: 3 }), {
      minLength: 1,
      maxLength: size,
    })
    .map((offsets) =>
      offsets.map((by, task) => [
        ...new Set(by.map((each) => task + each).filter((need) => need < offsets.length)),
      ]),
    );

export const WHAT = [
  "submit",
  "succeed",
  "fail",
  "fail for good",
  "lose",
  "cancel",
  "invalidate",
] as const;

export interface Command {
  readonly what: (typeof WHAT)[number];
  readonly at: number;
}

/** Starts with a submit: nothing happens before. `succeed` is the most frequent, as in life. */
export const commands = (longest: number) =>
  fc
    .array(
      fc.record({
        what: fc.oneof(
          { weight: 5, arbitrary: fc.constant("succeed" as const) },
          { weight: 6, arbitrary: fc.constantFrom(...WHAT) },
        ),
        at: fc.nat(1_000),
      }),
      { maxLength: longest },
    )
    .map((list): Command[] => [{ what: "submit", at: 0 }, ...list]);

/**
 * Which task a command is for: most commands only mean something for a task that runs, so they pick
 * among those.
 */
export function target(reference: Reference, { what, at }: Command): number {
  const all = reference.states.map((_, task) => task);
  const running = all.filter((task) => reference.states[task] === "running");
  const wanted = ["succeed", "fail", "fail for good", "lose"].includes(what) ? running : all;
  return wanted[at % Math.max(wanted.length, 1)] ?? 0;
}

export function apply(reference: Reference, what: Command["what"], task: number): void {
  switch (what) {
    case "submit":
      return reference.submit(task);
    case "succeed":
      return reference.succeed(task);
    case "fail":
      return reference.fail(task, false);
    case "fail for good":
      return reference.fail(task, true);
    case "lose":
      return reference.lose(task);
    case "cancel":
      return reference.cancel(task);
    case "invalidate":
      return reference.invalidate(task);
  }
}
