/** Families that write S3: dumps of the source, and unloads of the warehouse. */
import { Temporal } from "temporal-polyfill";
import { TableCopyToS3 } from "../../../src/tasks/copy-table-to-s3.ts";
import { UnloadQuery, UnloadTable } from "../../../src/tasks/unload-table.ts";
import { type Case, ROLE } from "./case.ts";

const date = Temporal.PlainDate.from("2026-11-21");
const next = date.add({ days: 1 });

const CSV = "FORMAT csv, NULL '@NULL@'";
const LOCKED = 'LOCK TABLE "shop"."Orders" IN ACCESS SHARE MODE';
const WHOLE = `COPY (SELECT "id", "Note", "day" FROM "shop"."Orders") TO STDOUT WITH (${CSV}, FORCE_QUOTE ("Note"), ENCODING 'UTF8')`;
const COUNT = "SELECT pg_last_unload_count() AS rows";
const to = (place: string) =>
  `TO 's3://<bucket>/unloads/${place}/2026-11-21/attempt-<attempt>/part-' IAM_ROLE '${ROLE}'`;
const AS_CSV = "FORMAT CSV NULL AS '@NULL-<hash>@' GZIP MANIFEST VERBOSE";

export const DUMPS: readonly Case[] = [
  {
    title: "of a table",
    around: "dump",
    task: TableCopyToS3({ table: "shop.Orders", date: next }),
    sends: { postgres: [LOCKED, WHOLE] },
  },
  {
    title: "of a query",
    around: "dump",
    task: TableCopyToS3({ table: "shop.Orders", date, query: 'SELECT id FROM shop."Orders";' }),
    sends: {
      postgres: [
        `COPY (SELECT "id" FROM (\nSELECT id FROM shop."Orders"\n) AS query) TO STDOUT WITH (${CSV}, ENCODING 'UTF8')`,
      ],
    },
  },
  {
    title: "for Redshift, with columns of its own",
    around: "dump",
    task: TableCopyToS3({
      table: "shop.Orders",
      date,
      dialect: "redshift",
      columns: { Note: { truncate: 10 } },
    }),
    sends: {
      postgres: [
        LOCKED,
        `COPY (SELECT "id", left("Note"::text, 10) AS "Note", "day" FROM "shop"."Orders") TO STDOUT WITH (${CSV}, FORCE_QUOTE ("Note"), ENCODING 'UTF8')`,
      ],
    },
  },
  {
    title: "by two sessions, if the table needs them",
    around: "dump",
    task: TableCopyToS3({ table: "shop.Orders", date: next.add({ days: 1 }), connections: 2 }),
    sends: { postgres: [LOCKED, "SELECT pg_export_snapshot() AS snapshot", WHOLE] },
  },
  {
    around: "dump",
    task: UnloadTable({ table: "shop.days", date, fileMegabytes: 64 }),
    sends: {
      postgres: [
        'LOCK TABLE "shop"."days" IN ACCESS SHARE MODE',
        `COPY (SELECT "id", "day" FROM "shop"."days") TO STDOUT WITH (${CSV}, ENCODING 'UTF8')`,
      ],
      redshift: [
        `UNLOAD ('SELECT "id", "day" FROM (\nSELECT * FROM "shop"."days"\n) AS query') ${to("shop.days/csv")} ${AS_CSV} MAXFILESIZE 64 MB`,
        COUNT,
      ],
    },
  },
  {
    around: "dump",
    task: UnloadQuery({ name: "notes", query: `SELECT 'it''s \\ x' AS note, 1 AS id;`, date }),
    sends: {
      postgres: [
        `COPY (SELECT "note", "id" FROM (\nSELECT 'it''s \\ x' AS note, 1 AS id\n) AS query) TO STDOUT WITH (${CSV}, FORCE_QUOTE ("note"), ENCODING 'UTF8')`,
      ],
      // Quoted twice: as the user's literal, and as that of UNLOAD.
      redshift: [
        `UNLOAD ('SELECT "note", "id" FROM (\nSELECT ''it''''s \\\\ x'' AS note, 1 AS id\n) AS query') ${to("notes/<hash>/csv")} ${AS_CSV}`,
        COUNT,
      ],
    },
  },
];
