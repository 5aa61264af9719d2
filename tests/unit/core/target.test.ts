import { describe, expect, test } from "vitest";
import { defineTask } from "../../../src/core/define.ts";
import type { Stores } from "../../../src/core/stores.ts";
import {
  bindOutputs,
  flattenOutputs,
  missingOutputs,
  type Outputs,
  type Target,
} from "../../../src/core/target.ts";

const flag = (location: string, raised = false): Target => ({
  kind: "flag",
  bind: () => ({ location, exists: async () => raised }),
});
const stores: Stores = {
  get source() {
    return expect.fail("flags need no store");
  },
  get warehouse() {
    return expect.fail("flags need no store");
  },
  get s3() {
    return expect.fail("flags need no store");
  },
};
const binding = (output: Outputs) => ({
  task: defineTask({ name: "A", output: () => output }, () => {})(),
  stores,
  signal: new AbortController().signal,
});

describe("outputs", () => {
  const a = flag("a");
  const b = flag("b", true);

  test("are flat targets, in written order", () => {
    expect(flattenOutputs(undefined)).toEqual([]);
    expect(flattenOutputs(a)).toEqual([a]);
    expect(flattenOutputs([b, a])).toEqual([b, a]);
    expect(flattenOutputs({ y: b, x: a })).toEqual([b, a]);
  });

  test("that are no targets are an error, never a task without outputs", () => {
    const wrong: readonly unknown[] = [Promise.resolve(a), [a, null], { a: "s3://x" }, "s3://x"];
    for (const output of wrong) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what JavaScript can do
      expect(() => flattenOutputs(output as Outputs)).toThrow(
        "output() gave something that is no target: give a target, or an array or an object of targets",
      );
    }
  });

  test("bound to stores are handles in the same shape", () => {
    const locationsOf = (outputs: Outputs) =>
      JSON.stringify(bindOutputs(outputs, binding(outputs)), ["x", "y", "location"]);
    expect(bindOutputs(undefined, binding(undefined))).toBeUndefined();
    expect(bindOutputs(a, binding(a)).location).toBe("a");
    expect(bindOutputs([a, b], binding([a, b])).map(({ location }) => location)).toEqual([
      "a",
      "b",
    ]);
    expect(locationsOf({ x: a, y: b })).toBe('{"x":{"location":"a"},"y":{"location":"b"}}');
  });

  test("that do not exist are named by their location", async () => {
    expect(await missingOutputs(binding({ x: a, y: b }))).toEqual(["a"]);
    expect(await missingOutputs(binding(b))).toEqual([]);
    expect(await missingOutputs(binding(undefined))).toEqual([]);
  });
});
