/** UNLOAD to S3: what is written where, in which format, and what is left when it fails. */
import { gunzipSync } from "node:zlib";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Bucket, openBucket, openRedshift, type Redshift, ROLE } from "./support.ts";

let redshift: Redshift;
let bucket: Bucket;
let prefix: string;
let prefixes = 0;
beforeAll(async () => {
  [redshift, bucket] = await Promise.all([openRedshift(), openBucket()]);
  await redshift.rows("CREATE TABLE t (k INT, v VARCHAR(50))");
  await redshift.client.query("INSERT INTO t VALUES (1, $1), (2, ''), (3, NULL), (4, $2)", [
    'say "hi", é',
    "back\\slash\nnew | line",
  ]);
});
beforeEach(() => {
  prefix = `out/${++prefixes}/`;
  redshift.notices.splice(0);
});

const unload = (options: string, query = "SELECT k, v FROM t ORDER BY k") =>
  `UNLOAD (${query.includes("'") ? `$$${query}$$` : `'${query}'`}) TO 's3://${bucket.name}/${prefix}f_' ${ROLE} ${options}`;

/** What one file then holds. */
async function unloaded(options: string, query?: string): Promise<string> {
  await redshift.rows(unload(`PARALLEL OFF ${options}`, query));
  return await bucket.get(`${prefix}f_000`);
}

describe("an unload", () => {
  it("tells how many rows it wrote, by notice and by pg_last_unload_count()", async () => {
    await redshift.rows(unload("CSV"));
    expect(redshift.notices).toEqual(["UNLOAD completed, 4 record(s) unloaded successfully."]);
    expect(await redshift.rows("SELECT pg_last_unload_count()::int AS n")).toEqual([{ n: 4 }]);
    expect(
      await redshift.rows(
        "SELECT rtrim(path) AS path, line_count FROM stl_unload_log WHERE query = pg_last_unload_id() ORDER BY 1",
      ),
    ).toEqual([
      { path: `s3://${bucket.name}/${prefix}f_0000_part_00`, line_count: "2" },
      { path: `s3://${bucket.name}/${prefix}f_0001_part_00`, line_count: "2" },
    ]);
  });

  it("runs by the extended protocol, as often as it is asked to", async () => {
    const text = unload("CSV ALLOWOVERWRITE PARALLEL OFF");
    for (let time = 1; time <= 2; time += 1) {
      const { command } = await redshift.client.query({ name: "unload", text });
      expect(command).toBe("UNLOAD");
    }
    expect(await bucket.keys(prefix)).toEqual([`${prefix}f_000`]);
  });

  it("sees what its transaction did, and is no part of it", async () => {
    await redshift.rows("BEGIN; INSERT INTO t VALUES (5, 'five')");
    const text = await unloaded("CSV", "SELECT v FROM t WHERE k = 5");
    await redshift.rows("ROLLBACK");
    expect(text).toBe("five\n");
    expect(await bucket.keys(prefix)).toEqual([`${prefix}f_000`]);
  });

  it("reads its query as Redshift reads a literal: quotes are doubled, backslashes too", async () => {
    const query = "'SELECT ''it''''s'' || ''\\\\\\\\'' AS v'";
    await redshift.rows(
      `UNLOAD (${query}) TO 's3://${bucket.name}/${prefix}f_' ${ROLE} PARALLEL OFF`,
    );
    expect(await bucket.get(`${prefix}f_000`)).toBe("it's\\\n");
  });
});

describe("PARTITION BY", () => {
  const query =
    "SELECT k, v, CASE WHEN k < 4 THEN 'a/b é' END AS kind, date '2026-11-21' AS day FROM t WHERE k <> 3 ORDER BY k";
  const folder = (kind: string) => `${prefix}f_day=2026-11-21/kind=${kind}/`;

  it("puts rows into folders by their values, without those columns", async () => {
    await redshift.rows(unload("CSV PARTITION BY (day, kind) PARALLEL OFF HEADER MANIFEST", query));
    const [named, none] = ["a%2Fb é", "__HIVE_DEFAULT_PARTITION__"].map((kind) => folder(kind));
    expect(await bucket.keys(prefix)).toEqual(
      [`${prefix}f_manifest`, `${named}000`, `${none}000`].toSorted(),
    );
    expect(await bucket.get(`${named}000`)).toBe('k,v\n1,"say ""hi"", é"\n2,\n');
    const { entries } = JSON.parse(await bucket.get(`${prefix}f_manifest`));
    expect(entries).toHaveLength(2);
    expect(await redshift.rows("SELECT pg_last_unload_count()::int AS n")).toEqual([{ n: 3 }]);
  });

  it("INCLUDE keeps the columns; without rows there are no files", async () => {
    await redshift.rows(unload("CSV PARTITION BY (kind) INCLUDE PARALLEL OFF", query));
    expect(await bucket.get(`${prefix}f_kind=a%2Fb é/000`)).toContain("2,,a/b é,2026-11-21\n");
    prefix = `${prefix}none/`;
    await redshift.rows(unload("CSV PARTITION BY (k)", "SELECT k, v FROM t WHERE k > 9"));
    expect(await bucket.keys(prefix)).toEqual([]);
  });

  it("needs columns of the SELECT, and one that is left for the files", async () => {
    expect(await redshift.failure(unload("CSV PARTITION BY (x)"))).toMatch(
      /^42703 .*"x" is not in/,
    );
    expect(await redshift.failure(unload("CSV PARTITION BY (k, v)"))).toMatch(/leaves no column/);
  });
});

describe("formats", () => {
  it("CSV quotes where it must; NULL and the empty string are the same when nothing is said", async () => {
    expect(await unloaded("CSV")).toBe('1,"say ""hi"", é"\n2,\n3,\n4,"back\\slash\nnew | line"\n');
  });

  it("CSV with NULL AS cannot tell a NULL from a value that is written like it", async () => {
    const query = "SELECT 'N' AS v UNION ALL SELECT NULL";
    expect(await unloaded("CSV NULL AS 'N'", query)).toBe("N\nN\n");
  });

  it("CSV takes a DELIMITER and a HEADER", async () => {
    expect(await unloaded("CSV DELIMITER ';' HEADER", "SELECT 1 AS a, 'x;y' AS b")).toBe(
      'a;b\n1;"x;y"\n',
    );
  });

  it("text between delimiters is written as it is", async () => {
    expect(await unloaded("")).toBe('1|say "hi", é\n2|\n3|\n4|back\\slash\nnew | line\n');
  });

  it("ESCAPE and ADDQUOTES make it readable again", async () => {
    expect(await unloaded("ESCAPE ADDQUOTES NULL AS '\\\\N'")).toBe(
      '"1"|"say \\"hi\\", é"\n"2"|""\n"3"|"\\\\N"\n"4"|"back\\\\slash\\\nnew \\| line"\n',
    );
  });

  it("JSON has one object in each line", async () => {
    await redshift.rows(
      `CREATE TABLE j AS SELECT 1.50::decimal(5,2) AS n, true AS b, 'é"' AS t, NULL::int AS z, JSON_PARSE('[1]') AS s`,
    );
    expect(await unloaded("FORMAT AS JSON", "SELECT * FROM j")).toBe(
      '{"n":1.50,"b":true,"t":"é\\"","z":null,"s":[1]}\n',
    );
  });
});

describe("files", () => {
  it("are one or more for each slice, or one after the other with PARALLEL OFF", async () => {
    await redshift.rows(unload("CSV"));
    expect(await bucket.keys(prefix)).toEqual([
      `${prefix}f_0000_part_00`,
      `${prefix}f_0001_part_00`,
    ]);
    expect(await redshift.rows("SELECT count(DISTINCT slice)::int AS n FROM stv_slices")).toEqual([
      { n: 2 },
    ]);
  });

  it("are cut between rows at MAXFILESIZE", async () => {
    const query = "SELECT g, repeat('x', 1000) FROM generate_series(1, 6000) AS g";
    await redshift.rows(unload("CSV PARALLEL OFF MAXFILESIZE 5 MB", query));
    const [first, second] = [
      await bucket.get(`${prefix}f_000`),
      await bucket.get(`${prefix}f_001`),
    ];
    expect(first.length).toBeLessThanOrEqual(5 * 1024 * 1024);
    expect(first.endsWith("\n")).toBe(true);
    expect(`${first}${second}`.split("\n")).toHaveLength(6001);
  });

  it("are compressed with GZIP, and named with their EXTENSION", async () => {
    await redshift.rows(unload("CSV GZIP PARALLEL OFF", "SELECT 1"));
    expect(gunzipSync(await bucket.bytes(`${prefix}f_000.gz`)).toString()).toBe("1\n");
    await redshift.rows(unload("CSV PARALLEL OFF EXTENSION 'csv' ALLOWOVERWRITE", "SELECT 1"));
    expect(await bucket.keys(prefix)).toContain(`${prefix}f_000.csv`);
  });

  it("are listed in a MANIFEST, with their rows and bytes when it is VERBOSE", async () => {
    await redshift.rows(unload("CSV PARALLEL OFF MANIFEST"));
    const url = `s3://${bucket.name}/${prefix}f_000`;
    expect(JSON.parse(await bucket.get(`${prefix}f_manifest`))).toEqual({ entries: [{ url }] });
    await redshift.rows(unload("CSV PARALLEL OFF MANIFEST VERBOSE ALLOWOVERWRITE"));
    const meta = { content_length: (await bucket.bytes(`${prefix}f_000`)).length, record_count: 4 };
    expect(JSON.parse(await bucket.get(`${prefix}f_manifest`))).toMatchObject({
      entries: [{ url, meta }],
      meta,
      schema: { elements: [{ name: "k" }, { name: "v" }] },
    });
  });

  it("without rows are one empty file, and none in JSON", async () => {
    expect(await unloaded("CSV", "SELECT 1 WHERE false")).toBe("");
    await redshift.rows(unload("JSON CLEANPATH", "SELECT 1 AS a WHERE false"));
    expect(await bucket.keys(prefix)).toEqual([]);
  });

  it("that are there already are an error, are written over, or are removed", async () => {
    await bucket.put(`${prefix}f_old`, "old");
    expect(await redshift.failure(unload("CSV"))).toMatch(
      /^XX000 Specified unload destination on S3 is not empty/,
    );
    await redshift.rows(unload("CSV PARALLEL OFF ALLOWOVERWRITE"));
    expect(await bucket.keys(prefix)).toEqual([`${prefix}f_000`, `${prefix}f_old`]);
    await redshift.rows(unload("CSV PARALLEL OFF CLEANPATH"));
    expect(await bucket.keys(prefix)).toEqual([`${prefix}f_000`]);
  });

  it("of an unload come back by COPY without a difference", async () => {
    await redshift.rows(unload("CSV NULL AS '@NULL@' GZIP MANIFEST"));
    await redshift.rows("CREATE TEMP TABLE back (LIKE t)");
    await redshift.rows(
      `COPY back FROM 's3://${bucket.name}/${prefix}f_manifest' ${ROLE} CSV NULL AS '@NULL@' GZIP MANIFEST`,
    );
    expect(await redshift.rows("SELECT * FROM back ORDER BY k")).toEqual(
      await redshift.rows("SELECT * FROM t ORDER BY k"),
    );
  });
});

/** Sorted by nothing, so its first rows come at once; it would never end. */
const ENDLESS = "SELECT a.relname, b.relname FROM pg_class a, pg_class b, pg_class c, pg_class d";
const UNDER_WAY =
  "SELECT session_id AS pid FROM sys_query_history WHERE query_text LIKE 'COPY (SELECT a.relname%' AND status = 'running'";

describe("an unload that fails", () => {
  it("by its query says what Postgres says, and writes no manifest", async () => {
    const query = "SELECT 1 / (k - 4) FROM t ORDER BY k";
    expect(await redshift.failure(unload("CSV MANIFEST", query))).toMatch(
      /^22012 division by zero/,
    );
    expect(await bucket.keys(prefix)).not.toContain(`${prefix}f_manifest`);
    expect(await redshift.rows("SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  it("by S3 fails the transaction", async () => {
    await redshift.rows("BEGIN");
    const nowhere = `UNLOAD ('SELECT * FROM t') TO 's3://no-such-bucket-2/x' ${ROLE} CSV ALLOWOVERWRITE`;
    expect(await redshift.failure(nowhere)).toMatch(
      /^XX000 S3ServiceException:.*Error NoSuchBucket/,
    );
    expect(await redshift.failure("SELECT 1")).toMatch(/^25P02/);
    await redshift.rows("ROLLBACK");
  });

  it("by S3 while rows are still coming stops the query", async () => {
    const nowhere = `UNLOAD ('${ENDLESS}') TO 's3://no-such-bucket-3/x' ${ROLE} CSV ALLOWOVERWRITE`;
    expect(await redshift.failure(nowhere)).toMatch(
      /^XX000 S3ServiceException:.*Error NoSuchBucket/,
    );
    expect(await redshift.rows("SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  it("by a cancel leaves nothing behind", async () => {
    const session = await redshift.another();
    const running = session.failure(unload("CSV", ENDLESS));
    const [found] = await untilRows(UNDER_WAY);
    await redshift.rows(`CANCEL ${String(found?.["pid"])}`);
    expect(await running).toMatch(/^57014 canceling statement due to user request/);
    expect(await bucket.keys(prefix)).toEqual([]);
    expect(await session.rows("SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  it("by a request of its client to cancel leaves nothing behind, and the next statement alone", async () => {
    const session = await redshift.another();
    const running = session.failure(unload("CSV", ENDLESS));
    await untilRows(UNDER_WAY);
    await session.cancel();
    expect(await running).toMatch(/^57014/);
    expect(await session.rows("SELECT 1 AS one")).toEqual([{ one: 1 }]);
    expect(await bucket.keys(prefix)).toEqual([]);
  });
});

describe("a client that is gone", () => {
  it("leaves its unload running", async () => {
    const session = await redshift.another();
    const sql = unload("CSV MANIFEST", "SELECT pg_sleep(0.5)::varchar AS nothing");
    const running = session.client.query(sql).catch(() => "gone");
    await untilRows(
      "SELECT 1 FROM sys_query_history WHERE query_text LIKE 'COPY (SELECT pg_sleep%' AND status = 'running'",
    );
    session.client.connection.stream.destroy();
    await running;
    await untilRows(
      `SELECT 1 FROM stl_unload_log WHERE path LIKE 's3://${bucket.name}/${prefix}%'`,
    );
    expect(await bucket.keys(prefix)).toContain(`${prefix}f_manifest`);
  });
});

/** Waits until a query gives rows. */
async function untilRows(sql: string) {
  for (;;) {
    const rows = await redshift.rows(sql);
    if (rows.length > 0) return rows;
    await redshift.rows("SELECT pg_sleep(0.02)");
  }
}
