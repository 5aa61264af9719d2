/** What Redshift refuses and Postgres would do; and what the stand-in cannot do, and says so. */
import { beforeAll, describe, expect, it } from "vitest";
import { openRedshift, type Redshift, ROLE } from "./support.ts";

let redshift: Redshift;
beforeAll(async () => {
  redshift = await openRedshift();
  await redshift.rows(
    "CREATE TABLE t (id INT, v VARCHAR(10)); CREATE TABLE s (id INT, v VARCHAR(10))",
  );
});

describe("Redshift has no", () => {
  it.each([
    ["COPY from a client", "COPY t FROM STDIN"],
    ["COPY to a client", "COPY t TO STDOUT"],
    ["ON CONFLICT", "INSERT INTO t VALUES (1, 'a') ON CONFLICT DO NOTHING"],
    ["RETURNING", "INSERT INTO t VALUES (1, 'a') RETURNING id"],
    ["indexes", "CREATE INDEX i ON t (id)"],
    ["unique indexes", "CREATE UNIQUE INDEX i ON t (id)"],
    ["savepoints", "SAVEPOINT a"],
    ["LISTEN", "LISTEN channel"],
    ["NOTIFY", "NOTIFY channel"],
    ["row locks", "SELECT * FROM t FOR UPDATE"],
    ["advisory locks", "SELECT pg_advisory_lock(1)"],
    ["DO", "DO $$ BEGIN END $$"],
    ["FILTER", "SELECT count(*) FILTER (WHERE id > 1) FROM t"],
    ["DISTINCT ON", "SELECT DISTINCT ON (id) * FROM t"],
    ["string_agg", "SELECT string_agg(v, ',') FROM t"],
    ["escape literals", "SELECT E'a\\n'"],
    ["CHECK constraints", "CREATE TABLE c (id INT CHECK (id > 0))"],
    ["SERIAL", "CREATE TABLE c (id SERIAL)"],
    ["JSONB", "CREATE TABLE c (id JSONB)"],
    ["UUID", "CREATE TABLE c (id UUID)"],
    ["BYTEA", "CREATE TABLE c (id BYTEA)"],
    ["arrays", "CREATE TABLE c (id INT[])"],
    ["a cast to UUID", "SELECT v::uuid FROM t"],
    ["a CAST to UUID", "SELECT CAST(v AS uuid) FROM t"],
    ["most of pg_stat_activity", "SELECT wait_event_type FROM pg_stat_activity"],
    ["to_regclass", "SELECT to_regclass('t')"],
  ])("%s", async (_, sql) => {
    expect(await redshift.failure(sql)).toMatch(/^0A000 .*not supported by Amazon Redshift/);
  });

  it.each(["lock_timeout", "idle_in_transaction_session_timeout", "work_mem"])(
    "parameter %s",
    async (name) => {
      expect(await redshift.failure(`SET ${name} TO 1`)).toMatch(/^42704/);
    },
  );

  it.each([
    "SELECT * FROM raw.orders",
    "CREATE SCHEMA raw",
    "CREATE TABLE tag (id INT)",
    "SELECT * FROM t JOIN partition ON true",
    "INSERT INTO system.log VALUES (1)",
  ])("names that are reserved words: %s", async (sql) => {
    expect(await redshift.failure(sql)).toMatch(/^42601 syntax error at or near "/);
  });

  it("reserved words are names when they are quoted", async () => {
    await redshift.rows('CREATE SCHEMA "raw"; CREATE TABLE "raw"."tag" (id INT)');
    expect(await redshift.rows('SELECT * FROM "raw"."tag"')).toEqual([]);
  });

  it("type that nobody has", async () => {
    expect(await redshift.failure("CREATE TABLE c (id WIDGET)")).toBe(
      '42704 type "widget" does not exist',
    );
  });

  it("such words where they are only text or a quoted name", async () => {
    const sql = `SELECT 'on conflict returning' AS "savepoint", 1 AS uuid -- create index`;
    expect(await redshift.rows(sql)).toEqual([{ savepoint: "on conflict returning", uuid: 1 }]);
  });
});

describe("in a transaction", () => {
  it.each([
    ["VACUUM", "VACUUM t"],
    ["CREATE DATABASE", "CREATE DATABASE other"],
    ["ALTER TABLE APPEND", "ALTER TABLE t APPEND FROM s"],
  ])("%s is refused", async (name, sql) => {
    await redshift.rows("BEGIN");
    expect(await redshift.failure(sql)).toBe(`25001 ${name} cannot run inside a transaction block`);
    await redshift.rows("ROLLBACK");
  });
});

describe("the stand-in refuses by name", () => {
  it.each([
    ["ALTER TABLE t APPEND FROM s", "ALTER TABLE APPEND"],
    ["ANALYZE COMPRESSION t", "ANALYZE COMPRESSION"],
    ["CREATE VIEW v AS SELECT * FROM t WITH NO SCHEMA BINDING", "WITH NO SCHEMA BINDING"],
    ["SET enable_case_sensitive_identifier TO true", "SET enable_case_sensitive_identifier"],
    ["CREATE TABLE g (place GEOMETRY)", "type geometry"],
    ["REFRESH MATERIALIZED VIEW v", "REFRESH"],
    ["CREATE DATABASE d WITH OWNER somebody", "CREATE DATABASE with options"],
    ["CREATE EXTERNAL SCHEMA s2 FROM DATA CATALOG", "CREATE EXTERNAL"],
  ])("%s", async (sql, what) => {
    expect(await redshift.failure(sql)).toBe(
      `0A000 ${what} is not carried out by the stand-in for Redshift`,
    );
  });

  it("names that the Postgres behind it would cut short", async () => {
    const name = "n".repeat(64);
    expect(await redshift.failure(`CREATE TABLE ${name} (id INT)`)).toMatch(/^0A000 .*64 bytes/);
    expect(await redshift.failure(`SELECT 1 AS "${"n".repeat(128)}"`)).toMatch(/^42622/);
  });

  it("a named statement that asks for the last load", async () => {
    const query = redshift.client.query({ name: "last", text: "SELECT pg_last_copy_count()" });
    await expect(query).rejects.toThrow(/named statement is not carried out/);
  });
});

const COPY = `COPY t FROM 's3://bucket/key' ${ROLE}`;
const UNLOAD = `UNLOAD ('SELECT * FROM t') TO 's3://bucket/key' ${ROLE}`;

describe("options of COPY", () => {
  it.each([
    "FORMAT AS PARQUET",
    "FORMAT ORC",
    "AVRO 'auto'",
    "FIXEDWIDTH 'a:1'",
    "BZIP2",
    "LZOP",
    "JSON 'noshred'",
    "DATEFORMAT 'DD.MM.YYYY'",
    "TIMEFORMAT 'DD.MM.YYYY HH24:MI'",
    "ENCODING UTF16",
    "ENCRYPTED",
    "READRATIO 50",
    "SSH",
  ])("%s is refused, not ignored", async (option) => {
    expect(await redshift.failure(`${COPY} ${option}`)).toMatch(/^0A000 .* not carried out/);
  });

  it.each([
    ["HEADER", /syntax error at or near "HEADER"/],
    ["CSV NONSENSE", /syntax error at or near "NONSENSE"/],
    ["CSV CSV", /conflicting or redundant options: FORMAT/],
    ["GZIP ZSTD", /GZIP is not compatible with ZSTD/],
    ["CSV ESCAPE", /ESCAPE is not compatible with CSV/],
    ["CSV DELIMITER ';;'", /DELIMITER must be a single ASCII character/],
    ["QUOTE '\"'", /QUOTE is not compatible/],
    ["MAXERROR 100001", /MAXERROR must be between/],
    ["REGION 'nowhere'", /Invalid region/],
    ["IAM_ROLE default", /conflicting or redundant options: credentials/],
  ])("%s is an error", async (option, problem) => {
    expect(await redshift.failure(`${COPY} ${option}`)).toMatch(problem);
  });
});

describe("options of UNLOAD", () => {
  it.each(["FORMAT AS PARQUET", "FIXEDWIDTH '1:2'", "BZIP2", "ENCRYPTED", "KMS_KEY_ID 'x'"])(
    "%s is refused, not ignored",
    async (option) => {
      expect(await redshift.failure(`${UNLOAD} ${option}`)).toMatch(/^0A000 .* not carried out/);
    },
  );

  it.each([
    ["CSV ADDQUOTES", /ADDQUOTES is not compatible with CSV/],
    ["JSON HEADER", /HEADER is not compatible with JSON/],
    ["ALLOWOVERWRITE CLEANPATH", /ALLOWOVERWRITE is not compatible with CLEANPATH/],
    ["MAXFILESIZE 1 MB", /MAXFILESIZE must be between/],
    ["IGNOREHEADER 1", /syntax error at or near "IGNOREHEADER"/],
    ["PARTITION (id)", /syntax error at or near "\("/],
  ])("%s is an error", async (option, problem) => {
    expect(await redshift.failure(`${UNLOAD} ${option}`)).toMatch(problem);
  });

  it("LIMIT is refused in the outer query, and taken in an inner one", async () => {
    const unload = (query: string) => `UNLOAD ('${query}') TO 's3://no-such-bucket/key' ${ROLE}`;
    expect(await redshift.failure(unload("SELECT * FROM t LIMIT 1"))).toMatch(/^0A000 .*LIMIT/);
    expect(await redshift.failure(unload("SELECT * FROM (SELECT * FROM t LIMIT 1) AS u"))).toMatch(
      /NoSuchBucket/,
    );
  });
});

describe("credentials", () => {
  it("must be given", async () => {
    expect(await redshift.failure("COPY t FROM 's3://bucket/key' CSV")).toBe(
      "42601 No credentials provided",
    );
    expect(await redshift.failure("UNLOAD ('SELECT 1') TO 's3://bucket/key'")).toBe(
      "42601 No credentials provided",
    );
  });

  it.each([
    "IAM_ROLE 'my-role'",
    "IAM_ROLE 'arn:aws:iam::123456789012:role/a, arn:aws:iam::123456789012:role/b'",
    "CREDENTIALS 'aws_access_key_id=a'",
    "CREDENTIALS 'something'",
    "ACCESS_KEY_ID 'a'",
  ])("%s are not valid", async (credentials) => {
    expect(await redshift.failure(`COPY t FROM 's3://bucket/key' ${credentials}`)).toMatch(
      /^42601/,
    );
  });

  it("with a wrong secret are refused by S3", async () => {
    const keys = "ACCESS_KEY_ID 'AKIDTEST' SECRET_ACCESS_KEY 'wrong'";
    const error = await redshift.failure(`COPY t FROM 's3://bucket/key' ${keys}`);
    expect(error).toMatch(/^XX000 S3ServiceException:.*Status 403,Error SignatureDoesNotMatch/);
    expect(error).not.toContain("wrong");
  });
});
