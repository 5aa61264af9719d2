/** How the rows of a dump are shared: each row is in exactly one share. Whole statements. */
import { expect, test } from "vitest";
import { copyOut, EXPORT_SNAPSHOT, joinDump } from "../../../src/sql/postgres/dump.ts";
import { selectBounds, sharePages, shareValues } from "../../../src/sql/postgres/dump-shares.ts";
import {
  dropStage,
  insertStage,
  openStage,
  stageName,
} from "../../../src/sql/postgres/load-stage.ts";

test("pages are shared in half-open ranges, the last of which has no end", () => {
  expect(sharePages([{ pages: 17 }], 1)).toEqual([
    { where: "ctid < '(5,0)'" },
    { where: "ctid >= '(5,0)' AND ctid < '(10,0)'" },
    { where: "ctid >= '(10,0)' AND ctid < '(15,0)'" },
    { where: "ctid >= '(15,0)'" },
  ]);
});

test("an empty table is one share, and so is a partition without pages", () => {
  expect(sharePages([{ pages: 0 }], 4)).toEqual([{}]);
  expect(sharePages([{ from: '"s"."far"', pages: undefined }], 4)).toEqual([{ from: '"s"."far"' }]);
});

test("partitions are shared by their size", () => {
  const shares = sharePages(
    [
      { from: '"s"."small"', pages: 1 },
      { from: '"s"."large"', pages: 15 },
    ],
    2,
  );
  expect(shares.map(({ from }) => from)).toEqual(['"s"."small"', ...Array(8).fill('"s"."large"')]);
  expect(shares[1]).toEqual({ from: '"s"."large"', where: "ctid < '(2,0)'" });
});

test("values are shared at bounds; NULLs are in the first share, equal bounds make none", () => {
  expect(shareValues("id", ["10", "10", "20"])).toEqual([
    { where: `("id" < '10' OR "id" IS NULL)` },
    { where: `"id" >= '10' AND "id" < '20'` },
    { where: `"id" >= '20'` },
  ]);
  expect(shareValues("id", [])).toEqual([{}]);
});

test("bounds are asked for by whole numbers and by moments, and for no other type", () => {
  expect(selectBounds('"shop"."orders"', { name: "id", pgType: "bigint" }, 3)).toBe(
    `SELECT trunc(low + (high - low) * part / 3)::text AS bound FROM (SELECT min("id")::numeric AS low, max("id")::numeric AS high FROM "shop"."orders") AS range, generate_series(1, 2) AS part WHERE low IS NOT NULL ORDER BY part`,
  );
  expect(selectBounds("t", { name: "at", pgType: "timestamp(3) with time zone" }, 2)).toBe(
    `SELECT (low + (high - low) * part / 2)::text AS bound FROM (SELECT min("at") FILTER (WHERE isfinite("at")) AS low, max("at") FILTER (WHERE isfinite("at")) AS high FROM t) AS range, generate_series(1, 1) AS part WHERE low IS NOT NULL ORDER BY part`,
  );
  expect(selectBounds("t", { name: "note", pgType: "text" }, 2)).toBeUndefined();
  expect(selectBounds("t", { name: "price", pgType: "numeric(10,2)" }, 2)).toBeUndefined();
});

test("a share is copied out by its condition, from its partition", () => {
  const columns = [{ name: "id", pgType: "bigint" }];
  const share = { from: '"s"."p1"', where: "ctid < '(5,0)'" };
  expect(copyOut({ table: "s.events", lockable: true }, columns, "@NULL@", share)).toBe(
    `COPY (SELECT "id" FROM "s"."p1" WHERE ctid < '(5,0)') TO STDOUT WITH (FORMAT csv, NULL '@NULL@', ENCODING 'UTF8')`,
  );
});

test("a further session takes the snapshot before anything else", () => {
  expect(EXPORT_SNAPSHOT).toBe("SELECT pg_export_snapshot() AS snapshot");
  expect(joinDump("00000003-1").slice(0, 3)).toEqual([
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "SET TRANSACTION SNAPSHOT '00000003-1'",
    "SET LOCAL TimeZone = 'UTC'",
  ]);
});

test("a stage is of one load, table and session, beside its table, and taken over whole", () => {
  const stage = stageName("mart.daily", "Load_1", 1);
  expect(stage).toMatch(/^mart\.sluice_load_[0-9a-f]{16}_1$/);
  expect(stageName("mart.daily", "Load_2", 1)).not.toBe(stage);
  expect(stageName("mart.weekly", "Load_1", 1)).not.toBe(stage);
  const columns = [
    { name: "id", pgType: "bigint" },
    { name: "odd name", pgType: "text" },
  ];
  expect(openStage("mart.stage", columns).slice(-2)).toEqual([
    'DROP TABLE IF EXISTS "mart"."stage"',
    'CREATE UNLOGGED TABLE "mart"."stage" ("id" bigint, "odd name" text)',
  ]);
  expect(insertStage("mart.daily", "mart.stage", columns)).toBe(
    'INSERT INTO "mart"."daily" ("id", "odd name") OVERRIDING SYSTEM VALUE SELECT "id", "odd name" FROM "mart"."stage"',
  );
  expect(dropStage("mart.stage")).toBe('DROP TABLE IF EXISTS "mart"."stage"');
});
