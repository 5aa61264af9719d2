/** COPY from S3: what its options do to data, and what it says when it is done. */
import { gzipSync } from "node:zlib";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Bucket, openBucket, openRedshift, type Redshift, ROLE } from "./support.ts";

let redshift: Redshift;
let bucket: Bucket;
beforeAll(async () => {
  [redshift, bucket] = await Promise.all([openRedshift(), openBucket()]);
  await redshift.rows("CREATE TABLE t (k INT, v VARCHAR(20), d DECIMAL(10,2))");
});
beforeEach(async () => {
  await redshift.rows("DELETE FROM t");
  redshift.notices.splice(0);
});

let files = 0;
/** Loads the text of one file and gives the rows that are then in the table. */
async function loaded(
  body: string | Buffer,
  options: string,
  target = "t",
): Promise<readonly unknown[][]> {
  const key = `files/${++files}/data`;
  await bucket.put(key, body);
  await redshift.rows(`COPY ${target} FROM 's3://${bucket.name}/${key}' ${ROLE} ${options}`);
  const rows = await redshift.rows(`SELECT * FROM ${target.split(" ")[0]}`);
  return rows.map((row) => Object.values(row));
}

describe("a load", () => {
  it("tells how many rows it took, by notice and by pg_last_copy_count()", async () => {
    await loaded("1,a,1\n2,b,2", "CSV");
    expect(redshift.notices).toEqual([
      "Load into table 't' completed, 2 record(s) loaded successfully.",
    ]);
    const [row] = await redshift.rows("SELECT pg_last_copy_count() AS n, pg_last_copy_id() AS id");
    expect(row).toEqual({ n: "2", id: expect.any(Number) });
  });

  it("of a session that has loaded nothing is number -1, with 0 rows", async () => {
    const session = await redshift.another();
    expect(await session.rows("SELECT pg_last_copy_count() AS n, pg_last_copy_id() AS id")).toEqual(
      [{ n: "0", id: -1 }],
    );
  });

  it("is part of the transaction, temporary tables included", async () => {
    await redshift.rows("BEGIN; CREATE TEMP TABLE staged (LIKE t)");
    expect(await loaded("1,a,1\n", "CSV", "staged")).toEqual([[1, "a", "1.00"]]);
    await redshift.rows("INSERT INTO t SELECT * FROM staged");
    await redshift.rows("ROLLBACK");
    expect(await redshift.rows("SELECT * FROM t")).toEqual([]);
  });

  it("runs by the extended protocol, as often as it is asked to", async () => {
    await bucket.put("named/a", "1,a,1\n");
    const text = `COPY t FROM 's3://${bucket.name}/named/' ${ROLE} CSV`;
    for (let time = 1; time <= 2; time += 1) {
      const { command } = await redshift.client.query({ name: "load", text });
      expect(command).toBe("COPY");
    }
    expect(await redshift.rows("SELECT count(*)::int AS n FROM t")).toEqual([{ n: 2 }]);
  });

  it("with NOLOAD checks the rows and loads none", async () => {
    expect(await loaded("1,a,1\n", "CSV NOLOAD")).toEqual([]);
    await expect(loaded("x,a,1\n", "CSV NOLOAD")).rejects.toThrow(/Load into table 't' failed/);
  });

  it("takes options without effect on data", async () => {
    const options =
      "FORMAT AS CSV ENCODING AS UTF8 REGION AS 'eu-west-1' COMPUPDATE OFF STATUPDATE ON COMPROWS 1000";
    expect(await loaded("1,a,1\n", options)).toEqual([[1, "a", "1.00"]]);
  });
});

describe("files", () => {
  it("are all those that begin with the prefix", async () => {
    await bucket.put("prefix/day", "1,a,1\n");
    await bucket.put("prefix/day.bak", "2,b,2\n");
    await bucket.put("prefix/other", "3,c,3\n");
    await redshift.rows(`COPY t FROM 's3://${bucket.name}/prefix/day' ${ROLE} CSV`);
    expect(await redshift.rows("SELECT k FROM t ORDER BY k")).toEqual([{ k: 1 }, { k: 2 }]);
  });

  it("must be there", async () => {
    const copy = `COPY t FROM 's3://${bucket.name}/nothing/' ${ROLE} CSV`;
    expect(await redshift.failure(copy)).toBe(
      "XX000 The specified S3 prefix 'nothing/' does not exist",
    );
    expect(await redshift.failure(`COPY t FROM 's3://no-such-bucket-1/x' ${ROLE}`)).toMatch(
      /^XX000 S3ServiceException:.*Status 404,Error NoSuchBucket/,
    );
  });

  it("of a manifest are those that it lists, one twice if it lists it twice", async () => {
    await bucket.put("m/a", "1,a,1\n");
    await bucket.put("m/b", "2,b,2\n");
    const url = (name: string) => ({ url: `s3://${bucket.name}/m/${name}`, mandatory: true });
    await bucket.put("m/manifest", JSON.stringify({ entries: [url("a"), url("a")], extra: 1 }));
    await redshift.rows(`COPY t FROM 's3://${bucket.name}/m/manifest' ${ROLE} CSV MANIFEST`);
    expect(await redshift.rows("SELECT k FROM t")).toEqual([{ k: 1 }, { k: 1 }]);
  });

  it("of a manifest may be missing, unless they are mandatory", async () => {
    await bucket.put("gap/a", "1,a,1\n");
    const load = async (mandatory: boolean) => {
      const entries = ["a", "gone"].map((name) => ({
        url: `s3://${bucket.name}/gap/${name}`,
        mandatory,
      }));
      await bucket.put("gap/manifest", JSON.stringify({ entries }));
      return await redshift.rows(
        `COPY t FROM 's3://${bucket.name}/gap/manifest' ${ROLE} CSV MANIFEST`,
      );
    };
    await expect(load(true)).rejects.toThrow(
      /'s3:\/\/.*\/gap\/gone' of the manifest does not exist/,
    );
    await load(false);
    expect(await redshift.rows("SELECT pg_last_copy_count()::int AS n")).toEqual([{ n: 1 }]);
  });

  it("may be compressed with GZIP, and must be when that is said", async () => {
    expect(await loaded(gzipSync("1,a,1\n"), "CSV GZIP")).toEqual([[1, "a", "1.00"]]);
    await expect(loaded("1,a,1\n", "CSV GZIP")).rejects.toThrow(/incorrect header check/);
  });

  it("are read with the keys that the statement names", async () => {
    const { accessKeyId, secretAccessKey } = bucket.settings;
    await bucket.put("keys/a", "1,a,1\n");
    for (const credentials of [
      `ACCESS_KEY_ID '${accessKeyId}' SECRET_ACCESS_KEY '${secretAccessKey}'`,
      `WITH CREDENTIALS AS 'aws_access_key_id=${accessKeyId};aws_secret_access_key=${secretAccessKey}'`,
      "CREDENTIALS 'aws_iam_role=arn:aws:iam::123456789012:role/loader'",
      "IAM_ROLE default",
    ]) {
      await redshift.rows(`COPY t FROM 's3://${bucket.name}/keys/' ${credentials} CSV`);
    }
    expect(await redshift.rows("SELECT count(*)::int AS n FROM t")).toEqual([{ n: 4 }]);
  });
});

describe("NULL", () => {
  it("is the NULL text, quoted or not", async () => {
    expect(
      await loaded('1,@NULL@,\n2,"@NULL@",2\n3,"x@NULL@",3\n', "CSV NULL AS '@NULL@'"),
    ).toEqual([
      [1, null, null],
      [2, null, "2.00"],
      [3, "x@NULL@", "3.00"],
    ]);
  });

  it("is an empty field of a number, and not of a string", async () => {
    expect(await loaded('1,,\n2,"",""\n', "CSV")).toEqual([
      [1, "", null],
      [2, "", null],
    ]);
  });

  it("is an empty string with EMPTYASNULL, quoted ones included", async () => {
    expect(await loaded('1,,1\n2,"",2\n3," ",3\n', "CSV EMPTYASNULL")).toEqual([
      [1, null, "1.00"],
      [2, null, "2.00"],
      [3, " ", "3.00"],
    ]);
  });

  it("is a blank string with BLANKSASNULL", async () => {
    expect(await loaded("1,  ,1\n2,,2\n", "CSV BLANKSASNULL")).toEqual([
      [1, null, "1.00"],
      [2, "", "2.00"],
    ]);
  });

  it("is \\N by default", async () => {
    expect(await loaded("1|\\N|\\N\n2|\\\\N|2\n", "")).toEqual([
      [1, null, null],
      [2, "\\\\N", "2.00"],
    ]);
  });
});

describe("formats", () => {
  it("CSV has quotes, doubled quotes, line breaks and CRLF", async () => {
    expect(await loaded('1,"a, ""b""\nc",1\r\n2,"",2\r\n', "CSV")).toEqual([
      [1, 'a, "b"\nc', "1.00"],
      [2, "", "2.00"],
    ]);
  });

  it("CSV takes another QUOTE and DELIMITER", async () => {
    expect(await loaded("1;'a;b';1\n", "CSV QUOTE AS '\\'' DELIMITER ';'")).toEqual([
      [1, "a;b", "1.00"],
    ]);
  });

  it("text between delimiters takes a backslash as it is", async () => {
    expect(await loaded("1|a\\b|1\n", "")).toEqual([[1, "a\\b", "1.00"]]);
    expect(await loaded("2\tx\t2\n", "DELIMITER '\\t'")).toContainEqual([2, "x", "2.00"]);
  });

  it("ESCAPE takes the character after a backslash as it is: \\n is the letter n", async () => {
    expect(await loaded("1|a\\|b\\\\c\\nd|1\n2|e\\\nf|2\n3|\\N|3\n", "ESCAPE")).toEqual([
      [1, "a|b\\cnd", "1.00"],
      [2, "e\nf", "2.00"],
      [3, null, "3.00"],
    ]);
  });

  it("REMOVEQUOTES removes quotes, and keeps delimiters between them", async () => {
    expect(await loaded('1|"a|b"|1\n2|\'c\'|2\n3|d"|3\n', "REMOVEQUOTES")).toEqual([
      [1, "a|b", "1.00"],
      [2, "c", "2.00"],
      [3, 'd"', "3.00"],
    ]);
  });

  it("JSON 'auto' matches keys to columns, by their case", async () => {
    const json =
      '{"v": "é\\u00e9\\n", "k": 1, "more": [1]}\n{"k":2,\n "V": "no", "d": 1.239}{"k": null}';
    expect(await loaded(json, "FORMAT AS JSON 'auto'")).toEqual([
      [1, "éé\n", null],
      [2, null, "1.23"],
      [null, null, null],
    ]);
    expect(await loaded('{"K": 9, "V": "yes"}', "JSON 'auto ignorecase'")).toContainEqual([
      9,
      "yes",
      null,
    ]);
  });

  it("JSON by a JSONPaths file finds each column's value, also of arrays", async () => {
    const paths = async (...jsonpaths: readonly string[]) => {
      await bucket.put("paths.json", JSON.stringify({ jsonpaths }));
      return `FORMAT AS JSON 's3://${bucket.name}/paths.json'`;
    };
    const json =
      '{"id": 1, "a": {"names": ["no", "é\\n"]}, "b c": [1.239]}\n{"a": {"names": []}, "id": null}\n{"id": 2, "a": 7, "id": 3}';
    expect(await loaded(json, await paths("$.id", "$.a.names[1]", "$['b c'][0]"))).toEqual([
      [1, "é\n", "1.23"],
      [null, null, null],
      [3, null, null],
    ]);
    await redshift.rows("DELETE FROM t");
    expect(await loaded('[4, "x", {"y": 5}]', await paths("$[0]", "$[1]", "$[2].y"))).toEqual([
      [4, "x", "5.00"],
    ]);
    await expect(loaded(json, await paths("$.id", "$.a"))).rejects.toThrow(
      "Number of jsonpaths and the number of columns should match (2 paths for 3 columns)",
    );
    await expect(loaded(json, await paths("$.id", "$..a", "$.b"))).rejects.toThrow(
      "$..a is not supported",
    );
  });

  it("JSON keeps what is nested, and long numbers, as they are written", async () => {
    await redshift.rows("CREATE TABLE nested (s SUPER, v VARCHAR(100), n DECIMAL(38,0))");
    const json =
      '{"s": {"a": [1, 2.50]}, "v": [1, {"b": null}], "n": 12345678901234567890123456789012345678}';
    expect(await loaded(json, "JSON 'auto'", "nested")).toEqual([
      ['{"a":[1,2.50]}', '[1, {"b": null}]', "12345678901234567890123456789012345678"],
    ]);
  });
});

describe("rows", () => {
  it("IGNOREHEADER skips lines of each file", async () => {
    await bucket.put("headers/a", "k,v,d\n1,a,1\n");
    await bucket.put("headers/b", "k,v,d\n2,b,2\n");
    await redshift.rows(`COPY t FROM 's3://${bucket.name}/headers/' ${ROLE} CSV IGNOREHEADER 1`);
    expect(await redshift.rows("SELECT k FROM t ORDER BY k")).toEqual([{ k: 1 }, { k: 2 }]);
  });

  it("IGNOREBLANKLINES skips blank lines, which are errors without it", async () => {
    await expect(loaded("1,a,1\n\n2,b,2\n", "CSV")).rejects.toThrow(/Load into table/);
    expect(await loaded("1,a,1\n\n2,b,2\n", "CSV IGNOREBLANKLINES")).toHaveLength(2);
  });

  it("FILLRECORD fills up short rows: strings with nothing, numbers with NULL", async () => {
    expect(await loaded("1\n2,b\n", "CSV FILLRECORD")).toEqual([
      [1, "", null],
      [2, "b", null],
    ]);
  });

  it("have their fields in the order of the list of columns", async () => {
    expect(await loaded("1.5,1\n", "CSV", "t (d, k)")).toEqual([[1, null, "1.50"]]);
    await expect(loaded("1,1\n", "CSV", "t (k, k)")).rejects.toThrow(/named twice/);
    await expect(loaded("1\n", "CSV", "t (none)")).rejects.toThrow(
      /column "none" .* does not exist/,
    );
  });

  it("leave out IDENTITY columns, unless EXPLICIT_IDS says otherwise", async () => {
    await redshift.rows("CREATE TABLE ids (id INT IDENTITY(1, 1), v VARCHAR(5))");
    expect(await loaded("a\n", "CSV", "ids")).toEqual([[1, "a"]]);
    expect(await loaded("7,b\n", "CSV EXPLICIT_IDS", "ids")).toContainEqual([7, "b"]);
    await expect(loaded("7,b\n", "CSV", "ids (id, v)")).rejects.toThrow(/EXPLICIT_IDS/);
  });

  it("need a value for each NOT NULL column without a default", async () => {
    await redshift.rows("CREATE TABLE needed (a INT NOT NULL, b INT)");
    await expect(loaded("1\n", "CSV", "needed (b)")).rejects.toThrow(
      "NOT NULL column without DEFAULT must be included in column list: a",
    );
  });
});

describe("values", () => {
  it("of decimals lose extra digits without a word, or are rounded with ROUNDEC", async () => {
    expect(await loaded("1,a,1.239\n2,b,-.5\n", "CSV")).toEqual([
      [1, "a", "1.23"],
      [2, "b", "-0.50"],
    ]);
    expect(await loaded("3,c,1.235\n", "CSV ROUNDEC")).toContainEqual([3, "c", "1.24"]);
  });

  it("of decimals with 19 digits fit into 64 bits, or not at all", async () => {
    await redshift.rows("CREATE TABLE big (n DECIMAL(19,0))");
    expect(await loaded("9223372036854775807\n", "CSV", "big")).toEqual([["9223372036854775807"]]);
    await expect(loaded("9999999999999999999\n", "CSV", "big")).rejects.toThrow(/Load into table/);
  });

  it("are cut at a character with TRUNCATECOLUMNS, and trimmed with TRIMBLANKS", async () => {
    const long = `${"a".repeat(19)}é`;
    expect(await loaded(`1,${long},1\n`, "CSV TRUNCATECOLUMNS")).toEqual([
      [1, "a".repeat(19), "1.00"],
    ]);
    expect(await loaded("2, a  ,2\n", "CSV TRIMBLANKS")).toContainEqual([2, " a", "2.00"]);
  });

  it("that are no UTF-8 are replaced, byte by byte, with ACCEPTINVCHARS", async () => {
    const bytes = Buffer.from("1,a\xff\xc3(\xc3\xa9,1\n", "latin1");
    expect(await loaded(bytes, "CSV ACCEPTINVCHARS AS '^'")).toEqual([[1, "a^^(é", "1.00"]]);
    await expect(loaded(bytes, "CSV")).rejects.toThrow(/Load into table/);
  });

  it("of times have one format, or with 'auto' those of ISO 8601", async () => {
    await redshift.rows("CREATE TABLE times (a TIMESTAMP, b TIMESTAMPTZ, c DATE)");
    const iso = "2026-01-02T03:04:05.123456Z,2026-01-02 03:04:05+02,2026-01-02\n";
    await expect(loaded(iso, "CSV", "times")).rejects.toThrow(/Load into table/);
    await bucket.put("times/a", `${iso}2026-01-02 03:04:05+09,,2026-01-02\n`);
    await redshift.rows(
      `COPY times FROM 's3://${bucket.name}/times/' ${ROLE} CSV TIMEFORMAT 'auto' DATEFORMAT 'auto'`,
    );
    // The offset of the second row's timestamp is dropped: that is what Redshift does.
    expect(await redshift.rows("SELECT a::varchar, b::varchar, c::varchar FROM times")).toEqual([
      { a: "2026-01-02 03:04:05.123456", b: "2026-01-02 01:04:05+00", c: "2026-01-02" },
      { a: "2026-01-02 03:04:05", b: null, c: "2026-01-02" },
    ]);
  });

  it("of times may be seconds or milliseconds since 1970", async () => {
    await redshift.rows("CREATE TABLE epochs (a TIMESTAMP)");
    await loaded("86400\n", "CSV TIMEFORMAT 'epochsecs'", "epochs");
    await loaded("86400001\n", "CSV TIMEFORMAT 'epochmillisecs'", "epochs");
    expect(await redshift.rows("SELECT a::varchar FROM epochs ORDER BY a")).toEqual([
      { a: "1970-01-02 00:00:00" },
      { a: "1970-01-02 00:00:00.001" },
    ]);
  });

  it("that are no date are NULL with ACCEPTANYDATE", async () => {
    await redshift.rows("CREATE TABLE dates (a DATE)");
    expect(await loaded("2026-02-30\n", "CSV ACCEPTANYDATE", "dates")).toEqual([[null]]);
  });

  it("of SUPER are JSON, of VARBYTE hexadecimal", async () => {
    await redshift.rows("CREATE TABLE odd (s SUPER, b VARBYTE(2))");
    expect(await loaded('"{""a"" : ""b c""}",FF00\n', "CSV", "odd")).toEqual([
      ['{"a":"b c"}', "ff00"],
    ]);
  });
});
