/** What the compiler knows. The assertions on types are checked by `npm run check`. */
import type { Temporal } from "temporal-polyfill";
import { expectTypeOf, test } from "vitest";
import { all } from "../../../src/core/all.ts";
import { defineExternal, defineTask, defineWrapper } from "../../../src/core/define.ts";
import { p } from "../../../src/core/params/p.ts";
import type { AnswerOf } from "../../../src/core/run.ts";
import type { Target, TargetHandle } from "../../../src/core/target.ts";
import type { Task } from "../../../src/core/task.ts";

interface DatasetHandle extends TargetHandle {
  rows(): Promise<number>;
}
interface MarkerHandle extends TargetHandle {
  commit(): Promise<void>;
}
declare function dataset(path: string): Target<DatasetHandle>;
declare function marker(table: string): Target<MarkerHandle>;

// Declared inside of functions that are never called: only their types matter.
const Dump = () =>
  defineTask(
    { name: "Dump", params: { table: p.text(), date: p.date() }, output: () => dataset("x") },
    () => ({ rows: 7 }),
  );
const Feed = () =>
  defineExternal({ name: "Feed", output: () => ({ a: marker("a"), b: dataset("b") }) });

test("a family takes the values of its parameters", () => {
  type Args = Parameters<ReturnType<typeof Dump>>[0];
  expectTypeOf<Args>().toExtend<{ table: string; date: Temporal.PlainDate }>();
  const All = () => defineWrapper({ name: "All", requires: () => [] });
  expectTypeOf<[]>().toExtend<Parameters<ReturnType<typeof All>>>();
  const Optional = () =>
    defineTask({ name: "O", params: { n: p.int({ min: 0, max: 9 }).default(3) } }, ({ params }) => {
      expectTypeOf(params.n).toEqualTypeOf<number>();
    });
  expectTypeOf<[]>().toExtend<Parameters<ReturnType<typeof Optional>>>();
  // @ts-expect-error date is missing
  expectTypeOf<[{ table: string }]>().toExtend<Parameters<ReturnType<typeof Dump>>>();
});

test("a task knows its outputs and its answer", () => {
  type DumpTask = ReturnType<ReturnType<typeof Dump>>;
  expectTypeOf<DumpTask["outputs"]>().toEqualTypeOf<Target<DatasetHandle>>();
  // Null when its output was found, and nobody knows what its run returned.
  expectTypeOf<AnswerOf<DumpTask>>().toEqualTypeOf<{ rows: number } | null>();
  expectTypeOf<DumpTask>().toExtend<Task>();
});

test("run gets params, input in the shape of requires, and the output's handle", () => {
  const one = () =>
    defineTask(
      {
        name: "One",
        params: { date: p.date() },
        requires: ({ date }) => Dump()({ table: "a", date }),
      },
      ({ params, input, output }) => {
        expectTypeOf(params.date).toEqualTypeOf<Temporal.PlainDate>();
        expectTypeOf(input).toEqualTypeOf<DatasetHandle>();
        expectTypeOf(output).toEqualTypeOf<undefined>();
      },
    );
  const many = () =>
    defineTask(
      {
        name: "Many",
        params: { date: p.date() },
        requires: ({ date }) => ({
          orders: Dump()({ table: "orders", date }),
          feeds: [Feed()()],
        }),
        output: ({ date }) => ({ first: marker(date.toString()), second: dataset("x") }),
      },
      ({ input, output }) => {
        expectTypeOf(input.orders).toEqualTypeOf<DatasetHandle>();
        expectTypeOf(input.feeds[0]?.a).toEqualTypeOf<MarkerHandle | undefined>();
        expectTypeOf(output.first).toEqualTypeOf<MarkerHandle>();
        expectTypeOf(output.second.rows()).toEqualTypeOf<Promise<number>>();
      },
    );
  const array = () =>
    defineTask({ name: "Array", requires: () => [Feed()(), Feed()()] }, ({ input }) => {
      expectTypeOf(input[0]?.b).toEqualTypeOf<DatasetHandle | undefined>();
    });
  expectTypeOf([one, many, array]).not.toBeAny();
});

test("inference does not depend on the order of properties", () => {
  const reversed = () =>
    defineTask(
      {
        output: ({ date }) => marker(date.toString()),
        requires: ({ date }) => ({ orders: Dump()({ table: "orders", date }) }),
        params: { date: p.date() },
        name: "Reversed",
      },
      ({ input, output, params }) => {
        expectTypeOf(input.orders).toEqualTypeOf<DatasetHandle>();
        expectTypeOf(output).toEqualTypeOf<MarkerHandle>();
        expectTypeOf(params.date).toEqualTypeOf<Temporal.PlainDate>();
        return params.date.year;
      },
    );
  expectTypeOf<AnswerOf<ReturnType<ReturnType<typeof reversed>>>>().toEqualTypeOf<number | null>();
});

test("yield* answers what the yielded task returns", () => {
  // Without outputs there is nothing to find: it is complete only because it ran.
  const Count = () => defineTask({ name: "Count" }, async () => 3);
  const Name = () => defineTask({ name: "Name" }, () => "x");
  const Dynamic = () =>
    defineTask({ name: "Dynamic" }, async function* () {
      expectTypeOf(yield* Count()()).toEqualTypeOf<number>();
      const [count, name] = yield* all([Count()(), Name()()]);
      expectTypeOf(count).toEqualTypeOf<number>();
      expectTypeOf(name).toEqualTypeOf<string>();
      const counts = yield* all([1, 2].map(() => Count()()));
      expectTypeOf(counts).toEqualTypeOf<readonly number[]>();
      return { count, name };
    });
  const Sync = () =>
    defineTask({ name: "Sync" }, function* () {
      return yield* Name()();
    });
  expectTypeOf<AnswerOf<ReturnType<ReturnType<typeof Dynamic>>>>().toEqualTypeOf<{
    count: number;
    name: string;
  }>();
  expectTypeOf<AnswerOf<ReturnType<ReturnType<typeof Sync>>>>().toEqualTypeOf<string>();
});

test("what is no declaration does not compile", () => {
  const wrong = () => {
    // @ts-expect-error a family is not a task
    defineWrapper({ name: "A", requires: () => [Dump()] });
    // @ts-expect-error a promise is not a task
    defineWrapper({ name: "A", requires: async () => [] });
    // @ts-expect-error an external task proves itself by its output
    defineExternal({ name: "A" });
    // @ts-expect-error the parameter is a date
    Dump()({ table: "a", date: "2026-11-21" });
  };
  expectTypeOf(wrong).toBeFunction();
});
