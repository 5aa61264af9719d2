/**
 * Whole statements of the families that load, unload, build and insert, in both dialects: what is printed
 * is what is sent, to the letter, with secrets masked.
 */
import { Temporal } from "temporal-polyfill";
import { beforeAll, describe, expect, test } from "vitest";
import { maskSecrets } from "../../../src/core/secret.ts";
import type { Dialect } from "../../../src/core/stores.ts";
import { requirementsOf, type Task } from "../../../src/core/task.ts";
import { sessionLabel } from "../../../src/stores/postgres/address.ts";
import type { OpenedStores } from "../../../src/stores/open-stores.ts";
import { CopyIntoTableFromS3 } from "../../../src/tasks/copy-into-table-from-s3.ts";
import { CopyJsonIntoTable } from "../../../src/tasks/copy-json-into-table.ts";
import { InsertIntoTable } from "../../../src/tasks/insert-into-table.ts";
import { LoadTable } from "../../../src/tasks/load-table.ts";
import { CreateTableFromSelectQuery } from "../../../src/tasks/replace-from-select.ts";
import { UnloadQuery, UnloadTable } from "../../../src/tasks/unload-table.ts";
import { proxied } from "../../support/proxied.ts";
import { sentStatements } from "../../support/sent-statements.ts";
import { freshDatabase } from "../../support/services.ts";
import type { TcpProxy } from "../../support/tcp-proxy.ts";
import { administer, attempt, opened } from "../data/data-stores.ts";
import { DIALECTS, freshPlace, type Place, printed, runTask } from "../tasks/warehouses.ts";

const date = Temporal.PlainDate.from("2026-11-21");
const ROLE = "arn:aws:iam::123456789012:role/loader";

interface Case {
  readonly name: string;
  readonly task: Task;
  /** Between the beginning and the marker, with `<bucket>` and `<attempt>` for what differs. */
  readonly sends: Readonly<Record<Dialect, readonly string[]>>;
}

const both = (...sends: readonly string[]) => ({ postgres: sends, redshift: sends });

const COPY_CSV =
  "FORMAT AS CSV NULL AS '@NULL@' GZIP ENCODING AS UTF8 DATEFORMAT AS 'auto' TIMEFORMAT AS 'auto' MANIFEST COMPUPDATE OFF STATUPDATE OFF";
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

const cases: readonly Case[] = [
  {
    name: "LoadTable that creates",
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
    name: "LoadTable of a slice",
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
    name: "CopyIntoTableFromS3 that appends",
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
    name: "CopyIntoTableFromS3 by key",
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
    name: "CopyJsonIntoTable",
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
        `COPY "shop"."days" ("id", "day") ${manifest("manifests/json/2026-11-21.json")} FORMAT AS JSON 'auto' DATEFORMAT AS 'auto' TIMEFORMAT AS 'auto' MANIFEST COMPUPDATE OFF STATUPDATE OFF`,
        COPY_COUNT,
      ],
    },
  },
  {
    name: "InsertIntoTable",
    task: InsertIntoTable({ table: "notes", query: select, date }),
    sends: both(insert('"notes"')),
  },
  {
    name: "CreateTableFromSelectQuery that replaces",
    task: CreateTableFromSelectQuery({ table: "notes", query: select, date }),
    sends: {
      postgres: [lock.postgres('"notes"'), 'DELETE FROM "notes"', insert('"notes"')],
      redshift: [lock.redshift('"notes"'), 'DELETE FROM "notes"', insert('"notes"')],
    },
  },
  {
    name: "CreateTableFromSelectQuery that swaps",
    task: CreateTableFromSelectQuery({ table: "notes", query: select, date, how: "swap" }),
    sends: {
      postgres: swapped("text"),
      redshift: swapped("character varying(65535)"),
    },
  },
  {
    name: "CreateTableFromSelectQuery that is serial",
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

const unloads = {
  table: UnloadTable({ table: "shop.days", date, fileMegabytes: 64 }),
  query: UnloadQuery({ name: "notes", query: select, date }),
};

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

/** The statements around those of a family. */
function wrapped(dialect: Dialect, { id }: Task, table: string, serial: boolean) {
  if (dialect === "postgres") {
    const settings = [
      "TimeZone = 'UTC'",
      "DateStyle = 'ISO, MDY'",
      "IntervalStyle = 'iso_8601'",
      "extra_float_digits = 1",
      "bytea_output = 'hex'",
      "lc_monetary = 'C'",
      "statement_timeout = 0",
      "idle_in_transaction_session_timeout = 0",
      "lock_timeout = '10min'",
    ];
    return {
      before: [
        ...(serial ? [] : ["BEGIN ISOLATION LEVEL READ COMMITTED"]),
        ...settings.map((setting) => `SET ${serial ? "" : "LOCAL "}${setting}`),
        `SELECT 1 FROM "table_updates" WHERE update_id = '${id}'`,
      ],
      after: [
        `INSERT INTO "table_updates" (update_id, target_table) VALUES ('${id}', '${table}')`,
        ...(serial ? [] : ["COMMIT"]),
      ],
    };
  }
  return {
    before: [
      ...redshiftSession(id),
      `SELECT 1 FROM "table_updates" WHERE "update_id" = '${id}'`,
      ...(serial ? [] : ["BEGIN"]),
    ],
    after: [
      ...(serial ? ["BEGIN"] : []),
      'LOCK "table_updates_fence"',
      `INSERT INTO "table_updates" ("update_id", "target_table", "inserted") VALUES ('${id}', '${table}', GETDATE())`,
      "COMMIT",
    ],
  };
}

function redshiftSession(id: string): readonly string[] {
  return [
    `SET query_group TO '${sessionLabel(id)}'`,
    "SET TimeZone TO 'UTC'",
    `SELECT DISTINCT session_id FROM sys_query_history WHERE query_label = '${sessionLabel(id)}' AND status IN ('planning', 'queued', 'running', 'returning')`,
  ];
}

/** Looks at the catalog, which printing makes too: they change nothing and are not printed. */
const LOOKS = [/pg_backend_pid\(\)/, /LIMIT 0$/, /format_type\(/];

describe.each(DIALECTS)("in %s", (dialect) => {
  let place: Place;
  let proxy: TcpProxy;
  /** Through the proxy, as a task would. */
  let stores: OpenedStores;

  const withAccess = (url: string, access: string): string =>
    dialect === "redshift" ? `${url}?${access}` : url;

  beforeAll(async () => {
    place = await freshPlace(dialect);
    const sourceUrl = await freshDatabase();
    const { url, ...rest } = await proxied(String(place.settings.warehouseUrl));
    ({ proxy } = rest);
    stores = opened({
      ...place.settings,
      sourceUrl,
      warehouseUrl: withAccess(url, `iam_role=${encodeURIComponent(ROLE)}`),
    });
    await administer(
      sourceUrl,
      `CREATE SCHEMA shop;
       CREATE TABLE shop."Orders" (id integer, "Note" text, day date);
       INSERT INTO shop."Orders" VALUES (1, 'a', '2026-11-21'), (2, NULL, '2026-11-21')`,
    );
    await stores.warehouse.atomically(
      {
        updateId: "set up",
        table: "none",
        signal: new AbortController().signal,
        confirmLease: async () => {},
      },
      'CREATE SCHEMA "shop"',
      "CREATE TABLE shop.days (id integer, day date)",
      "CREATE TABLE notes (note varchar(100), id integer)",
    );
    await stores.s3.put("given/a.csv", "not read");
    const { gzipSync } = await import("node:zlib");
    await stores.s3.put("given/a.gz", gzipSync("7,2026-11-20\n8,@NULL@\n"));
    await stores.s3.put("json/a.json", '{"id": 9, "day": "2026-11-19"}\n{"id": 10, "other": 1}\n');
  });

  test.each(cases.map((each) => [each.name, each] as const))("%s", async (_, { task, sends }) => {
    for (const requirement of requirementsOf(task)) await runTask(requirement, stores);
    const before = await printed(task, stores);
    const sent = await sentStatements(proxy, sessionLabel(task.id), () => runTask(task, stores));
    expect(sent.filter((sql) => !LOOKS.some((look) => look.test(sql)))).toEqual(before);
    const serial = task.id.includes("serial");
    const { into, table: own } = task.texts;
    const table = into === undefined || into === "" ? String(own) : into;
    const { before: opening, after } = wrapped(dialect, task, table, serial);
    expect(before.map(withoutNames)).toEqual([...opening, ...sends[dialect], ...after]);
  });

  /** Bucket and hashes differ from run to run. */
  function withoutNames(sql: string): string {
    return sql
      .replaceAll(stores.s3.bucket, "<bucket>")
      .replaceAll(/(queries\/shop\.Orders\/|sluice_new_)[0-9a-f]{16}/g, "$1<hash>");
  }

  test.each([
    ["UnloadTable", unloads.table],
    ["UnloadQuery", unloads.query],
  ])("%s", async (_, task) => {
    const before = await printed(task, stores);
    const own = attempt();
    const sent = await sentStatements(proxy, sessionLabel(task.id), () =>
      runTask(task, stores, own),
    );
    const looks = [...LOOKS, /txid_current_snapshot\(\)/];
    expect(
      sent
        .filter((sql) => !looks.some((look) => look.test(sql)))
        .map((sql) => sql.replaceAll(own.id, "<attempt>")),
    ).toEqual(before);
  });

  test.runIf(dialect === "redshift").each([
    [
      unloads.table,
      `SELECT "id", "day" FROM (\nSELECT * FROM "shop"."days"\n) AS query`,
      "shop.days/csv",
      " MAXFILESIZE AS 64 MB",
    ],
    [
      unloads.query,
      // Quoted twice: as the user's literal, and as that of UNLOAD.
      `SELECT "note", "id" FROM (\nSELECT ''it''''s \\\\ x'' AS note, 1 AS id\n) AS query`,
      "notes/<hash>/csv",
      "",
    ],
  ] as const)("the whole statements of $name", async (task, query, where, rest) => {
    const statements = await printed(task, stores);
    expect(statements.map((sql) => withoutHash(withoutNames(sql)))).toEqual([
      ...redshiftSession(task.id),
      `UNLOAD ('${query}') TO 's3://<bucket>/unloads/${where}/2026-11-21/attempt-<attempt>/part-' IAM_ROLE '${ROLE}' FORMAT AS CSV NULL AS '@NULL-<hash>@' GZIP MANIFEST VERBOSE${rest}`,
      "SELECT pg_last_unload_count() AS rows",
    ]);
  });

  test.runIf(dialect === "redshift")("keys are sent, and never printed", async () => {
    const { s3 } = place.settings;
    const access = `access_key_id=${s3?.accessKeyId}&secret_access_key=${s3?.secretAccessKey?.toString()}&region=eu-west-1`;
    const url = `redshift://postgres:test@127.0.0.1:${proxy.port}${new URL(String(place.settings.warehouseUrl)).pathname}?${access}`;
    const keyed = opened({ ...place.settings, warehouseUrl: url });
    const task = CopyIntoTableFromS3({ ...files, date: date.add({ days: 2 }), mode: "append" });
    for (const requirement of requirementsOf(task)) await runTask(requirement, keyed);
    const before = await printed(task, keyed);
    const sent = await sentStatements(proxy, sessionLabel(task.id), () => runTask(task, keyed));
    const secret = String(s3?.secretAccessKey);
    expect(before.join("\n")).toContain("SECRET_ACCESS_KEY '***'");
    expect(before.join("\n")).toContain("REGION AS 'eu-west-1'");
    expect(before.join("\n")).not.toContain(secret);
    expect(sent.join("\n")).toContain(secret);
    expect(keyed.warehouse.address).not.toContain(secret);
    expect(sent.filter((sql) => !LOOKS.some((look) => look.test(sql))).map(maskSecrets)).toEqual(
      before.map(maskSecrets),
    );
  });
});

function withoutHash(sql: string): string {
  return sql.replaceAll(/[0-9a-f]{16}/g, "<hash>");
}
