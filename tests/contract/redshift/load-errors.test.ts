/** Rows that cannot be loaded: what is said, where the details are, and what is left in the table. */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Bucket, openBucket, openRedshift, type Redshift, ROLE } from "./support.ts";

let redshift: Redshift;
let bucket: Bucket;
beforeAll(async () => {
  [redshift, bucket] = await Promise.all([openRedshift(), openBucket()]);
  await redshift.rows(
    "CREATE TABLE t (k INT, v VARCHAR(5), n INT NOT NULL DEFAULT 0, c CHAR(3), d DECIMAL(4,2), ts TIMESTAMP, dt DATE, f FLOAT, b BOOLEAN, s SUPER, x VARBYTE(1))",
  );
});
beforeEach(async () => {
  await redshift.rows("DELETE FROM t");
  redshift.notices.splice(0);
});

let files = 0;
const FAILED =
  "XX000 Load into table 't' failed.  Check 'stl_load_errors' system table for details.";

async function copyOf(body: string | Buffer, columns: string, options: string): Promise<string> {
  const key = `files/${++files}`;
  await bucket.put(key, body);
  return `COPY t (${columns}) FROM 's3://${bucket.name}/${key}' ${ROLE} ${options}`;
}

const ERRORS = `SELECT line_number::int AS line, rtrim(colname) AS "column", err_code AS code, rtrim(err_reason) AS reason,
  rtrim(raw_field_value) AS value FROM stl_load_errors WHERE query = pg_last_copy_id() ORDER BY line_number`;

describe("a load that fails", () => {
  it("says so in general, and where the row is in two system tables", async () => {
    const copy = await copyOf("k,v\n1,ok\n2,far too long\n", "k, v", "CSV IGNOREHEADER 1");
    expect(await redshift.failure(copy)).toBe(FAILED);
    const file = `s3://${bucket.name}/files/${files}`;
    expect(
      await redshift.rows(
        "SELECT rtrim(filename) AS filename, line_number, rtrim(colname) AS colname, rtrim(type) AS type, rtrim(col_length) AS col_length, rtrim(raw_line) AS raw_line, rtrim(raw_field_value) AS raw_field_value, err_code, rtrim(err_reason) AS err_reason FROM stl_load_errors WHERE query = pg_last_copy_id()",
      ),
    ).toEqual([
      {
        filename: file,
        line_number: "3",
        colname: "v",
        type: "varchar",
        col_length: "5",
        raw_line: "2,far too long",
        raw_field_value: "far too long",
        err_code: 1204,
        err_reason: "String length exceeds DDL length",
      },
    ]);
    expect(
      await redshift.rows(
        "SELECT rtrim(file_name) AS file_name, line_number, rtrim(column_name) AS column_name, error_code, rtrim(error_message) AS error_message FROM sys_load_error_detail WHERE query_id = pg_last_copy_id()",
      ),
    ).toEqual([
      {
        file_name: file,
        line_number: "3",
        column_name: "v",
        error_code: 1204,
        error_message: "String length exceeds DDL length",
      },
    ]);
  });

  it("loads nothing, and fails its transaction; the details stay", async () => {
    await redshift.rows("BEGIN");
    expect(await redshift.failure(await copyOf("1\nx\n", "k", ""))).toBe(FAILED);
    expect(await redshift.failure("SELECT 1")).toMatch(/^25P02/);
    await redshift.rows("ROLLBACK");
    expect(await redshift.rows("SELECT * FROM t")).toEqual([]);
    expect(await redshift.rows(ERRORS)).toMatchObject([{ line: 2, code: 1207 }]);
    expect(await redshift.rows("SELECT pg_last_copy_count()::int AS n")).toEqual([{ n: 0 }]);
  });

  it("for another reason than its rows has no details there", async () => {
    const before = await redshift.rows("SELECT count(*) FROM stl_load_errors");
    expect(await redshift.failure(`COPY t FROM 's3://${bucket.name}/none' ${ROLE}`)).toMatch(
      /does not exist/,
    );
    expect(await redshift.rows("SELECT count(*) FROM stl_load_errors")).toEqual(before);
  });

  it("fails by the extended protocol, too, and leaves the session usable", async () => {
    const text = await copyOf("x\n", "k", "");
    await expect(redshift.client.query({ name: "bad", text })).rejects.toThrow(
      /Load into table 't' failed/,
    );
    expect((await redshift.client.query("SELECT $1::int AS one", [1])).rows).toEqual([{ one: 1 }]);
  });
});

describe("with MAXERROR", () => {
  it("bad rows are left out, and the load says how many", async () => {
    await redshift.rows(await copyOf("1,a\nx,b\n3,c\n4,too long\n", "k, v", "CSV MAXERROR 3"));
    expect(await redshift.rows("SELECT k FROM t ORDER BY k")).toEqual([{ k: 1 }, { k: 3 }]);
    expect(redshift.notices).toEqual([
      "Load into table 't' completed, 2 record(s) loaded successfully.",
      "Load into table 't' completed, 2 record(s) could not be loaded.  Check 'stl_load_errors' system table for details.",
    ]);
    expect(await redshift.rows(ERRORS)).toMatchObject([
      { line: 2, column: "k" },
      { line: 4, column: "v" },
    ]);
  });

  it("so many bad rows are too many", async () => {
    expect(await redshift.failure(await copyOf("x\ny\n1\n", "k", "MAXERROR 2"))).toBe(FAILED);
  });

  it("IGNOREALLERRORS leaves out any number", async () => {
    await redshift.rows(await copyOf("x\ny\n1\n", "k", "IGNOREALLERRORS"));
    expect(await redshift.rows("SELECT k FROM t")).toEqual([{ k: 1 }]);
  });
});

describe("a row is bad when", () => {
  it.each<[string, string | Buffer, string, string, number, string]>([
    [
      "a number has other characters",
      "1x",
      "k",
      "",
      1207,
      "Invalid digit, Value 'x', Pos 1, Type: Integer",
    ],
    [
      "a number is too large",
      "2147483648",
      "k",
      "",
      1222,
      "Overflow, Value '2147483648', Type: Integer",
    ],
    ["a string has too many bytes", "äää", "v", "", 1204, "String length exceeds DDL length"],
    [
      "a NOT NULL column has none",
      "1,@",
      "k, n",
      "CSV NULL AS '@'",
      1213,
      "Missing data for not-null field",
    ],
    [
      "a CHAR has another character than ASCII's",
      "é",
      "c",
      "",
      1216,
      "Multibyte character not supported for CHAR (Hint: try using VARCHAR). Invalid char: c3",
    ],
    ["a CHAR is too long", "abcd", "c", "", 1204, "String length exceeds DDL length"],
    ["a decimal is none", "1e5", "d", "", 1207, "Invalid digit, Value 'e', Pos 1, Type: Decimal"],
    [
      "a decimal is too large",
      "100",
      "d",
      "",
      1209,
      "Numeric data overflow, Value '100', Type: Decimal",
    ],
    [
      "a timestamp is not in the format",
      "2026-01-02T03:04:05",
      "ts",
      "",
      1206,
      "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]",
    ],
    [
      "a date does not exist",
      "2026-02-30",
      "dt",
      "",
      1205,
      "Invalid Date Format - length must be 10 or more",
    ],
    ["a float is none", "NaN", "f", "", 1208, "Invalid float format, Value 'NaN'"],
    ["a boolean is none", "maybe", "b", "", 1210, "Unknown boolean format"],
    ["SUPER is no JSON", "{", "s", "", 1224, "Invalid JSON"],
    ["VARBYTE is no hexadecimal text", "xy", "x", "", 1219, "Invalid hexadecimal digit"],
    ["VARBYTE is too long", "0000", "x", "", 1204, "String length exceeds DDL length"],
    [
      "bytes are no UTF-8",
      Buffer.from([0x61, 0xff]),
      "v",
      "",
      1220,
      "String contains invalid or unsupported UTF8 codepoints",
    ],
    ["there are too many fields", "1|a|2", "k, v", "", 1202, "Extra column(s) found"],
    [
      "there are too few fields",
      "1|a",
      "k, v, n",
      "",
      1203,
      "Input data had fewer columns than were defined in the DDL",
    ],
    ["the delimiter is another", "1,a", "k, v", "", 1214, "Delimiter not found"],
    ["there is nothing in it", "1\n\n", "k", "", 1211, "Input line contained no data"],
    ["its quotes do not match", '1,"a"b', "k, v", "CSV", 1214, "Invalid quote formatting for CSV"],
    ["its JSON is broken", '{"k": 1', "k", "JSON 'auto'", 1224, "Invalid JSON object"],
  ])("%s", async (_, body, columns, options, code, reason) => {
    expect(await redshift.failure(await copyOf(body, columns, options))).toBe(FAILED);
    expect(await redshift.rows(ERRORS)).toMatchObject([{ code, reason }]);
  });
});

describe("a load that is cancelled", () => {
  it("loads nothing, and keeps its session", async () => {
    await bucket.put("long/part", "1\n".repeat(100_000));
    const entries = Array.from({ length: 500 }, () => ({ url: `s3://${bucket.name}/long/part` }));
    await bucket.put("long/manifest", JSON.stringify({ entries }));
    const session = await redshift.another();
    const copy = session.failure(
      `COPY t (k) FROM 's3://${bucket.name}/long/manifest' ${ROLE} MANIFEST`,
    );
    const underWay =
      "SELECT 1 FROM sys_query_history WHERE query_text LIKE 'COPY \"t\"%' AND status = 'running'";
    while ((await redshift.rows(underWay)).length === 0)
      await redshift.rows("SELECT pg_sleep(0.02)");
    await session.cancel();
    expect(await copy).toBe("57014 canceling statement due to user request");
    expect(await session.rows("SELECT count(*)::int AS n FROM t")).toEqual([{ n: 0 }]);
  });
});
