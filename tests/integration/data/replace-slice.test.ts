/** `replaceFromSelect` with a slice: a table that is built a day at a time. */
import { Temporal } from "temporal-polyfill";
import { beforeAll, expect, test } from "vitest";
import { defineTask } from "../../../src/core/define.ts";
import { p } from "../../../src/core/params/p.ts";
import { tableMarker } from "../../../src/targets/table-marker.ts";
import { daySlice } from "../../../src/tasks/load-table.ts";
import { replaceFromSelect } from "../../../src/tasks/replace-from-select.ts";
import type { OpenedStores } from "../../../src/stores/open-stores.ts";
import { freshStores, runTask } from "./data-stores.ts";

const first = Temporal.PlainDate.from("2026-11-20");
const second = Temporal.PlainDate.from("2026-11-21");

/** Makes the day's rows of a table from a SELECT. */
const Build = defineTask(
  {
    name: "Build",
    params: { date: p.date(), select: p.text() },
    output: () => tableMarker("mart.days"),
  },
  ({ params: { date, select }, output, warehouse }) =>
    warehouse.atomically(
      output,
      replaceFromSelect(output.table, select, { slice: daySlice("day", date) }),
    ),
);

let stores: OpenedStores;

beforeAll(async () => {
  ({ stores } = await freshStores());
});

const build = (date: Temporal.PlainDate, select: string) =>
  runTask(Build({ date, select }), stores);

const days = () =>
  stores.warehouse.query("SELECT day::text, note FROM mart.days ORDER BY day, note");

test("one day's rows are replaced, the other days' stay", async () => {
  await build(first, `SELECT DATE '${first}' AS day, 'old' AS note FROM generate_series(1, 2)`);
  await build(second, `SELECT DATE '${second}' AS day, 'other' AS note`);
  await build(first, `SELECT DATE '${first}' AS day, 'new' AS note`);
  expect(await days()).toEqual([
    { day: "2026-11-20", note: "new" },
    { day: "2026-11-21", note: "other" },
  ]);
});

test("a SELECT with rows of another day is refused, and nothing is changed", async () => {
  const before = await days();
  const twoDays = `SELECT day::date AS day, 'both' AS note FROM generate_series(DATE '${first}', DATE '${second}', '1 day') AS day`;
  await expect(build(second, twoDays)).rejects.toMatchObject({
    code: "ROWS_OUTSIDE_SLICE",
    message:
      'mart.days: the SELECT gave 2 rows, but 1 have "day" from 2026-11-21 to before 2026-11-22. The others would be doubled the next time. Nothing was committed: let the SELECT give only the slice\'s rows.',
  });
  expect(await days()).toEqual(before);
});
