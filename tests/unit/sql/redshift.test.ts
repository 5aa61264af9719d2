/** Whole statements for Redshift, and its type map. */
import { expect, test } from "vitest";
import { Secret } from "../../../src/core/secret.ts";
import {
  authorizationClause,
  masked,
  parseIamRole,
} from "../../../src/sql/redshift/authorization.ts";
import { holds } from "../../../src/sql/redshift/column-types.ts";
import { copyFrom } from "../../../src/sql/redshift/copy.ts";
import * as markers from "../../../src/sql/redshift/marker.ts";
import { quoteIdentifier, quoteLiteral } from "../../../src/sql/redshift/quote.ts";
import { forReader } from "../../../src/sql/redshift/to-postgres.ts";
import { forRedshift } from "../../../src/sql/redshift/types.ts";
import { unload } from "../../../src/sql/redshift/unload.ts";
import { createTable, lockTable } from "../../../src/sql/redshift/write.ts";

const keys = {
  accessKeyId: "AKIA",
  secretAccessKey: new Secret("hush'"),
  sessionToken: new Secret("t"),
};

test("literals process backslashes, so both are doubled", () => {
  expect(quoteLiteral("it's \\ x")).toBe("'it''s \\\\ x'");
  expect(() => quoteLiteral("a\0b")).toThrow("Redshift cannot hold a NUL");
  expect(quoteIdentifier('a"b')).toBe('"a""b"');
  expect(quoteIdentifier("ä".repeat(63))).toHaveLength(65);
  expect(() => quoteIdentifier("ä".repeat(64))).toThrow("1 to 127 bytes");
});

test("who Redshift is to S3: a default role, a chain of roles, or keys", () => {
  expect(authorizationClause(parseIamRole("default"))).toBe("IAM_ROLE default");
  const [one, two] = ["arn:aws:iam::123456789012:role/a", "arn:aws:iam::123456789012:role/path/b"];
  expect(authorizationClause(parseIamRole(`${one},${two}`))).toBe(`IAM_ROLE '${one},${two}'`);
  expect(() => parseIamRole(`${one}, ${two}`)).toThrow("separated by commas");
  expect(authorizationClause(keys)).toBe(
    "ACCESS_KEY_ID 'AKIA' SECRET_ACCESS_KEY 'hush''' SESSION_TOKEN 't'",
  );
  expect(authorizationClause(masked(keys))).toBe(
    "ACCESS_KEY_ID 'AKIA' SECRET_ACCESS_KEY '***' SESSION_TOKEN '***'",
  );
});

test("COPY by format", () => {
  const load = { table: "s.t", columns: [{ name: "a", pgType: "x" }], manifest: "s3://b/m.json" };
  const access = { authorization: parseIamRole("default") };
  expect(
    copyFrom({ ...load, format: { type: "csv", null: "@", compression: "zstd" } }, access),
  ).toBe(
    `COPY "s"."t" ("a") FROM 's3://b/m.json' IAM_ROLE default FORMAT AS CSV NULL AS '@' DATEFORMAT 'auto' TIMEFORMAT 'auto' COMPUPDATE OFF STATUPDATE OFF ZSTD MANIFEST`,
  );
  const json = { type: "json", paths: "s3://b/paths.json", compression: "none" } as const;
  expect(copyFrom({ ...load, format: json }, { ...access, region: "eu-west-1" })).toBe(
    `COPY "s"."t" ("a") FROM 's3://b/m.json' IAM_ROLE default FORMAT AS JSON 's3://b/paths.json' DATEFORMAT 'auto' TIMEFORMAT 'auto' REGION 'eu-west-1' COMPUPDATE OFF STATUPDATE OFF MANIFEST`,
  );
  expect(copyFrom({ ...load, format: { type: "parquet" } }, access)).toBe(
    `COPY "s"."t" ("a") FROM 's3://b/m.json' IAM_ROLE default FORMAT AS PARQUET MANIFEST`,
  );
});

test("UNLOAD quotes the query as a literal", () => {
  const query = "SELECT 'a''b', '\\\\';";
  const request = { query, to: "s3://b/p-", format: { type: "parquet" } } as const;
  expect(unload(request, { authorization: parseIamRole("default"), region: "eu-west-1" })).toBe(
    String.raw`UNLOAD ('SELECT ''a''''b'', ''\\\\''') TO 's3://b/p-' IAM_ROLE default FORMAT PARQUET MANIFEST VERBOSE REGION 'eu-west-1'`,
  );
});

test("the marker table is Luigi's, wide enough; the fence is beside it", () => {
  expect(markers.CREATE_MARKER_TABLE).toBe(
    'CREATE TABLE IF NOT EXISTS "table_updates" ("update_id" VARCHAR(1024) PRIMARY KEY, "target_table" VARCHAR(1024), "inserted" TIMESTAMP)',
  );
  expect(markers.selectMarker("a'b\\")).toBe(
    `SELECT 1 FROM "table_updates" WHERE "update_id" = 'a''b\\\\'`,
  );
  expect(lockTable("mart.daily")).toBe('LOCK "mart"."daily"');
  expect(markers.LOCK_FENCE).toBe('LOCK "table_updates_fence"');
});

test("no column is created with Redshift's 256 bytes by default", () => {
  const columns = [
    "text",
    "varchar",
    "character varying",
    "character varying(9)",
    "binary varying(9)",
  ];
  expect(
    createTable(
      "t",
      columns.map((pgType, n) => ({ name: `c${n}`, pgType })),
    ),
  ).toEqual([
    'CREATE TABLE "t" ("c0" VARCHAR(65535), "c1" VARCHAR(65535), "c2" VARCHAR(65535), "c3" character varying(9), "c4" VARBYTE(9))',
  ]);
});

test.each([
  ["smallint", "SMALLINT", undefined],
  ["numeric(19,2)", "DECIMAL(20,2)", undefined],
  ["numeric(38,37)", "DECIMAL(38,37)", undefined],
  ["character varying(20000)", "VARCHAR(65535)", undefined],
  ["character(3)", "VARCHAR(12)", '"c"::text'],
  ["timestamp(3) with time zone", "TIMESTAMPTZ", undefined],
  ["time without time zone", "TIME", undefined],
  ["bytea", "VARBYTE(1024000)", `CASE WHEN "c" = '' THEN 'empty' ELSE encode("c", 'hex') END`],
  ["jsonb", "SUPER", undefined],
  ["integer[]", "SUPER", 'to_json("c")::text'],
  ["public.hstore", "SUPER", 'hstore_to_json("c")::text'],
  ["shop.mood", "VARCHAR(65535)", undefined],
])("%s is held as %s", (pgType, redshiftType, expression) => {
  expect(forRedshift([{ name: "c", pgType }])).toEqual([
    { name: "c", pgType, redshiftType, ...(expression === undefined ? {} : { expression }) },
  ]);
});

test("options say what the map must not decide", () => {
  const [column] = forRedshift([{ name: "c", pgType: "real" }], { c: { nonFinite: "null" } });
  expect(column?.expression).toBe(
    `CASE WHEN "c"::text NOT IN ('NaN', 'Infinity', '-Infinity') THEN "c" END`,
  );
  const [cut] = forRedshift([{ name: "c", pgType: "text" }], { c: { truncate: 100 } });
  expect(cut).toMatchObject({ redshiftType: "VARCHAR(400)", expression: 'left("c"::text, 100)' });
  expect(() => forRedshift([{ name: "c", pgType: "text" }], { c: { truncate: 65_535 } })).toThrow(
    "truncate is a number of characters from 1 to 16383",
  );
});

test("what a column of Redshift can hold", () => {
  expect(holds("character varying(8)", "VARCHAR(8)")).toBe(true);
  expect(holds("character varying(8)", "VARCHAR(9)")).toBe(false);
  expect(holds("bigint", "INTEGER")).toBe(true);
  expect(holds("integer", "BIGINT")).toBe(false);
  expect(holds("numeric(20,4)", "DECIMAL(18,2)")).toBe(true);
  // COPY would cut the digits that do not fit, silently.
  expect(holds("numeric(20,1)", "DECIMAL(18,2)")).toBe(false);
  expect(holds("numeric(18,4)", "DECIMAL(18,2)")).toBe(false);
  expect(holds("timestamp without time zone", "TIMESTAMPTZ")).toBe(false);
  expect(holds("varchar(max)", "super")).toBe(false);
});

test("bytes that Redshift unloads for Postgres begin as Postgres's do", () => {
  const columns = [{ name: "raw", pgType: "binary varying(64)" }];
  expect(forReader(columns, "postgres")).toEqual([
    {
      name: "raw",
      pgType: "bytea",
      redshiftType: "binary varying(64)",
      expression: String.raw`'\\x' || from_varbyte("raw", 'hex')`,
    },
  ]);
  expect(() => forReader([{ name: "g", pgType: "geometry" }], "redshift")).toThrow(
    '"g" is geometry',
  );
});
