/** Families that load and build tables. In the order in which they run: each finds what the former left. */
import { Temporal } from "temporal-polyfill";
import type { Dialect } from "../../../src/core/stores.ts";
import { CopyIntoTableFromS3 } from "../../../src/tasks/copy-into-table-from-s3.ts";
import { CopyJsonIntoTable } from "../../../src/tasks/copy-json-into-table.ts";
import { InsertIntoTable } from "../../../src/tasks/insert-into-table.ts";
import { LoadTable } from "../../../src/tasks/load-table.ts";
import { CreateTableFromSelectQuery } from "../../../src/tasks/replace-from-select.ts";
import { both, type Case, ROLE } from "./case.ts";

const date = Temporal.PlainDate.from("2026-11-21");

const COPY_CSV =
  "FORMAT AS CSV NULL AS '@NULL@' DATEFORMAT 'auto' TIMEFORMAT 'auto' COMPUPDATE OFF STATUPDATE OFF GZIP MANIFEST";
const COPY_COUNT = "SELECT pg_last_copy_count() AS rows";
const manifest = (key: string) => `FROM 's3://<bucket>/${key}' IAM_ROLE '${ROLE}'`;
const dump = { table: "shop.Orders", date } as const;
const slice = {
  ...dump,
  query: `SELECT id, day FROM shop."Orders";`,
  into: "shop.days",
  slice: "day",
};
const files = { table: "shop.days", prefix: "given/", suffix: ".gz", nullText: "@NULL@" };
const select = `SELECT 'it''s \\ x' AS note, 1 AS id;`;
const selected = `SELECT 'it''s \\ x' AS note, 1 AS id`;
const DAY = `"day" >= DATE '2026-11-21' AND "day" < DATE '2026-11-22'`;
const STDIN = `FROM STDIN WITH (FORMAT csv, NULL '@NULL@', ENCODING 'UTF8')`;
const insert = (table: string) =>
  `INSERT INTO ${table} ("note", "id") SELECT "note", "id" FROM (\n${selected}\n) AS query`;
const lock = {
  postgres: (t: string) => `LOCK TABLE ${t} IN SHARE ROW EXCLUSIVE MODE`,
  redshift: (t: string) => `LOCK ${t}`,
};

export const LOADS: readonly Case[] = [
  {
    title: "that creates",
    task: LoadTable(dump),
    sends: {
      postgres: [
        'CREATE SCHEMA IF NOT EXISTS "shop"',
        'CREATE TABLE "shop"."Orders" ("id" integer, "Note" text, "day" date)',
        `COPY "shop"."Orders" ("id", "Note", "day") ${STDIN}`,
      ],
      redshift: [
        'CREATE SCHEMA IF NOT EXISTS "shop"',
        'CREATE TABLE "shop"."Orders" ("id" INTEGER, "Note" VARCHAR(65535), "day" DATE)',
        `COPY "shop"."Orders" ("id", "Note", "day") ${manifest("dumps/shop.Orders/2026-11-21/manifest.json")} ${COPY_CSV}`,
        COPY_COUNT,
      ],
    },
  },
  {
    title: "of a slice",
    about: "shop.days",
    task: LoadTable(slice),
    sends: {
      postgres: [
        lock.postgres('"shop"."days"'),
        `DELETE FROM "shop"."days" WHERE ${DAY}`,
        `COPY "shop"."days" ("id", "day") ${STDIN}`,
        `SELECT count(*) FROM "shop"."days" WHERE ${DAY}`,
      ],
      redshift: [
        lock.redshift('"shop"."days"'),
        `DELETE FROM "shop"."days" WHERE ${DAY}`,
        `COPY "shop"."days" ("id", "day") ${manifest("queries/shop.Orders/<hash>/2026-11-21/manifest.json")} ${COPY_CSV}`,
        COPY_COUNT,
        `SELECT count(*) FROM "shop"."days" WHERE ${DAY}`,
      ],
    },
  },
  {
    title: "that appends",
    task: CopyIntoTableFromS3({ ...files, date, mode: "append" }),
    sends: {
      postgres: [`COPY "shop"."days" ("id", "day") ${STDIN}`],
      redshift: [
        `COPY "shop"."days" ("id", "day") ${manifest("manifests/given/2026-11-21.json")} ${COPY_CSV}`,
        COPY_COUNT,
      ],
    },
  },
  {
    title: "by key",
    task: CopyIntoTableFromS3({
      ...files,
      date: date.add({ days: 1 }),
      key: ["id"],
      columns: ["id", "day"],
    }),
    sends: {
      postgres: keyed("postgres", [`COPY "sluice_stage" ("id", "day") ${STDIN}`]),
      redshift: keyed("redshift", [
        `COPY "sluice_stage" ("id", "day") ${manifest("manifests/given/2026-11-22.json")} ${COPY_CSV}`,
        COPY_COUNT,
      ]),
    },
  },
  {
    task: CopyJsonIntoTable({
      table: "shop.days",
      prefix: "json/",
      date,
      append: true,
      compression: "none",
    }),
    sends: {
      postgres: [
        'CREATE TEMPORARY TABLE "sluice_json" ("document" jsonb) ON COMMIT DROP',
        String.raw`COPY "sluice_json" ("document") FROM STDIN WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02', ENCODING 'UTF8')`,
        `INSERT INTO "shop"."days" ("id", "day") SELECT "id", "day" FROM (SELECT (jsonb_populate_record(NULL::"shop"."days", "document")).* FROM "sluice_json") AS row`,
      ],
      redshift: [
        `COPY "shop"."days" ("id", "day") ${manifest("manifests/json/2026-11-21.json")} FORMAT AS JSON 'auto' DATEFORMAT 'auto' TIMEFORMAT 'auto' COMPUPDATE OFF STATUPDATE OFF MANIFEST`,
        COPY_COUNT,
      ],
    },
  },
  {
    task: InsertIntoTable({ table: "notes", query: select, date }),
    sends: both(insert('"notes"')),
  },
  {
    title: "that replaces",
    task: CreateTableFromSelectQuery({ table: "notes", query: select, date }),
    sends: {
      postgres: [lock.postgres('"notes"'), 'DELETE FROM "notes"', insert('"notes"')],
      redshift: [lock.redshift('"notes"'), 'DELETE FROM "notes"', insert('"notes"')],
    },
  },
  {
    title: "that swaps",
    task: CreateTableFromSelectQuery({ table: "notes", query: select, date, how: "swap" }),
    sends: {
      postgres: swapped("text"),
      redshift: swapped("character varying(65535)"),
    },
  },
  {
    title: "that is serial",
    around: "serial",
    task: CreateTableFromSelectQuery({ table: "notes", query: select, date, how: "serial" }),
    sends: {
      postgres: [
        'DROP TABLE IF EXISTS "notes"',
        'CREATE TABLE "notes" ("note" text, "id" integer)',
        insert('"notes"'),
      ],
      redshift: [
        'DROP TABLE IF EXISTS "notes"',
        'CREATE TABLE "notes" ("note" VARCHAR(65535), "id" integer)',
        insert('"notes"'),
      ],
    },
  },
];

function keyed(dialect: Dialect, copy: readonly string[]): readonly string[] {
  return [
    lock[dialect]('"shop"."days"'),
    'CREATE TEMPORARY TABLE "sluice_stage" (LIKE "shop"."days" INCLUDING DEFAULTS)',
    ...copy,
    'SELECT count(*) FROM (SELECT "id" FROM "sluice_stage" GROUP BY "id" HAVING count(*) > 1 OR "id" IS NULL) AS bad',
    'DELETE FROM "shop"."days" USING "sluice_stage" WHERE "shop"."days"."id" = "sluice_stage"."id"',
    'INSERT INTO "shop"."days" ("id", "day") SELECT "id", "day" FROM "sluice_stage"',
    'DROP TABLE "sluice_stage"',
  ];
}

function swapped(text: string): readonly string[] {
  return [
    `CREATE TABLE "sluice_new_<hash>" ("note" ${text === "text" ? text : "VARCHAR(65535)"}, "id" integer)`,
    insert('"sluice_new_<hash>"'),
    'DROP TABLE IF EXISTS "notes"',
    'ALTER TABLE "sluice_new_<hash>" RENAME TO "notes"',
  ];
}
