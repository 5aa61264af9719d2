/** Tables as Redshift has them: types, names, keys, layout, and what TRUNCATE does to a transaction. */
import { beforeAll, describe, expect, it } from "vitest";
import { openRedshift, type Redshift } from "./support.ts";

let redshift: Redshift;
beforeAll(async () => {
  redshift = await openRedshift();
});

const typesOf = async (table: string) =>
  Object.fromEntries(
    (
      await redshift.rows(`SELECT "column", type FROM pg_table_def WHERE tablename = '${table}'`)
    ).map(({ column, type }) => [String(column), type]),
  );

describe("a VARCHAR", () => {
  it("is as long in bytes as it says, however many characters that are", async () => {
    await redshift.rows("CREATE TABLE bytes (v VARCHAR(4))");
    await redshift.rows("INSERT INTO bytes VALUES ('ää'), (NULL), ('')");
    const tooLong = "22001 value too long for type character varying(4)";
    expect(await redshift.failure("INSERT INTO bytes VALUES ('äää')")).toBe(tooLong);
    expect(await redshift.failure("UPDATE bytes SET v = 'äää'")).toBe(tooLong);
    expect(await redshift.failure("INSERT INTO bytes VALUES ('abcde')")).toBe(tooLong);
  });

  it("keeps its length in tables that are made of it", async () => {
    await redshift.rows(
      "CREATE TABLE made AS SELECT v FROM bytes; CREATE TABLE alike (LIKE bytes)",
    );
    for (const table of ["made", "alike"]) {
      expect(await redshift.failure(`INSERT INTO ${table} VALUES ('äää')`)).toMatch(/^22001/);
    }
  });

  it("may be made longer", async () => {
    await redshift.rows("ALTER TABLE alike ALTER COLUMN v TYPE VARCHAR(6)");
    await redshift.rows("INSERT INTO alike VALUES ('äää')");
    expect(await redshift.failure("INSERT INTO alike VALUES ('ääää')")).toBe(
      "22001 value too long for type character varying(6)",
    );
  });

  it("has 256 bytes when nothing is said, as TEXT has, and 65535 at most", async () => {
    await redshift.rows(
      "CREATE TABLE lengths (a VARCHAR, b TEXT, c VARCHAR(MAX), d CHAR, e NVARCHAR(3))",
    );
    expect(await typesOf("lengths")).toEqual({
      a: "character varying(256)",
      b: "character varying(256)",
      c: "character varying(65535)",
      d: "character(1)",
      e: "character varying(3)",
    });
    expect(await redshift.failure("CREATE TABLE longer (a VARCHAR(65536))")).toMatch(/^22023/);
  });

  it("is what a query's text becomes", async () => {
    await redshift.rows("CREATE TABLE texts AS SELECT 'a'::text AS t");
    expect(await typesOf("texts")).toEqual({ t: "character varying(65535)" });
  });
});

describe("types", () => {
  it("are Redshift's", async () => {
    await redshift.rows(
      "CREATE TABLE types (a SUPER, b VARBYTE(5), c DECIMAL, d FLOAT, e TIMESTAMPTZ, f TIMETZ, g BOOL)",
    );
    expect(await typesOf("types")).toEqual({
      a: "super",
      b: "varbyte(5)",
      c: "numeric(18,0)",
      d: "double precision",
      e: "timestamp with time zone",
      f: "time with time zone",
      g: "boolean",
    });
    expect(await redshift.failure("CREATE TABLE wide (a DECIMAL(39))")).toMatch(/^22023/);
    expect(await redshift.failure("CREATE TABLE wide (a DECIMAL(5,6))")).toMatch(/^22023/);
  });

  it("SUPER takes JSON and nothing else", async () => {
    await redshift.rows(`INSERT INTO types (a) VALUES (JSON_PARSE('{"n": [1, null]}'))`);
    expect(await redshift.rows("SELECT a FROM types")).toEqual([{ a: '{"n": [1, null]}' }]);
    expect(await redshift.failure("SELECT JSON_PARSE('{')")).toMatch(/^22P02/);
  });

  it("VARBYTE is shown as hexadecimal text", async () => {
    await redshift.rows("INSERT INTO types (b) VALUES (TO_VARBYTE('FF00', 'hex'))");
    expect(await redshift.rows("SELECT b FROM types WHERE b IS NOT NULL")).toEqual([{ b: "ff00" }]);
    expect(await redshift.failure("INSERT INTO types (b) VALUES ('ff00ff00ff00')")).toBe(
      "22001 value too long for type varbyte(5)",
    );
  });

  it("are named to clients as Redshift names them", async () => {
    const { fields } = await redshift.client.query("SELECT a, b FROM types LIMIT 0");
    const names = fields.map(
      ({ dataTypeID, dataTypeModifier }) => `format_type(${dataTypeID}, ${dataTypeModifier})`,
    );
    const [row] = await redshift.rows(
      `SELECT ${names.map((name, at) => `${name} AS t${at}`).join(", ")}`,
    );
    expect(row).toEqual({ t0: "super", t1: "varbyte(5)" });
  });
});

describe("names", () => {
  it("are folded to lower case although quoted", async () => {
    await redshift.rows('CREATE TABLE "Folded" ("Id" INT)');
    await redshift.rows('INSERT INTO folded ("ID") VALUES (1)');
    expect(await redshift.rows('SELECT "iD" FROM "FOLDED"')).toEqual([{ id: 1 }]);
    expect(await redshift.failure('CREATE TABLE clash ("a" INT, "A" INT)')).toMatch(/^42701/);
  });
});

describe("keys", () => {
  it("are accepted, and enforced by nobody", async () => {
    await redshift.rows(
      "CREATE TABLE keyed (id INT PRIMARY KEY, k INT UNIQUE, p INT REFERENCES bytes (v), UNIQUE (k, p), FOREIGN KEY (k) REFERENCES keyed (id))",
    );
    await redshift.rows("INSERT INTO keyed VALUES (1, 2, 3), (1, 2, 3)");
    expect(await redshift.rows("SELECT count(*)::int AS n FROM keyed")).toEqual([{ n: 2 }]);
  });

  it("still make their columns NOT NULL", async () => {
    await redshift.rows("CREATE TABLE composite (a INT, b INT, PRIMARY KEY (a, b))");
    for (const table of ["keyed (k)", "composite (a)"]) {
      expect(await redshift.failure(`INSERT INTO ${table} VALUES (1)`)).toMatch(/^23502/);
    }
  });
});

describe("IDENTITY", () => {
  it("counts from its seed by its step", async () => {
    await redshift.rows("CREATE TABLE counted (id BIGINT IDENTITY(10, 5), v INT)");
    await redshift.rows("INSERT INTO counted (v) VALUES (1), (2)");
    expect(await redshift.rows("SELECT id FROM counted ORDER BY id")).toEqual([
      { id: "10" },
      { id: "15" },
    ]);
  });
});

describe("the layout of a table", () => {
  it("is checked, kept for the catalog, and has no effect", async () => {
    await redshift.rows(
      "CREATE TABLE laid (a INT ENCODE az64, b VARCHAR(5) ENCODE lzo, c INT) BACKUP NO DISTSTYLE KEY DISTKEY (b) COMPOUND SORTKEY (c, a)",
    );
    const columns = await redshift.rows(
      `SELECT "column", encoding, distkey, sortkey FROM pg_table_def WHERE tablename = 'laid'`,
    );
    expect(columns).toEqual([
      { column: "a", encoding: "az64", distkey: false, sortkey: 2 },
      { column: "b", encoding: "lzo", distkey: true, sortkey: 0 },
      { column: "c", encoding: "none", distkey: false, sortkey: 1 },
    ]);
  });

  it("is in svv_table_info, which does not know empty tables", async () => {
    const info = `SELECT "table", diststyle, sortkey1, sortkey_num, tbl_rows FROM svv_table_info WHERE "table" IN ('laid', 'spread')`;
    expect(await redshift.rows(info)).toEqual([]);
    await redshift.rows("CREATE TABLE spread DISTSTYLE EVEN SORTKEY (one) AS SELECT 1 AS one");
    await redshift.rows("INSERT INTO laid VALUES (1, 'a', 2), (2, 'b', 3)");
    expect(await redshift.rows(`${info} ORDER BY 1`)).toEqual([
      { table: "laid", diststyle: "KEY(b)", sortkey1: "c", sortkey_num: 2, tbl_rows: "2" },
      { table: "spread", diststyle: "EVEN", sortkey1: "one", sortkey_num: 1, tbl_rows: "1" },
    ]);
  });

  it("is taken over by a table that is made like it", async () => {
    await redshift.rows("CREATE TABLE relaid (LIKE laid INCLUDING DEFAULTS)");
    expect(
      await redshift.rows(
        `SELECT "column" FROM pg_table_def WHERE tablename = 'relaid' AND distkey`,
      ),
    ).toEqual([{ column: "b" }]);
  });

  it.each([
    ["DISTSTYLE KEY", /needs a DISTKEY/],
    ["DISTSTYLE EVEN DISTKEY (a)", /not compatible/],
    ["DISTSTYLE SOME", /syntax error/],
    ["INTERLEAVED DISTKEY (a)", /syntax error/],
    ["SORTKEY (a) SORTKEY (a)", /given twice/],
  ])("%s is an error", async (layout, problem) => {
    expect(await redshift.failure(`CREATE TABLE wrong (a INT) ${layout}`)).toMatch(problem);
    expect(await redshift.failure("SELECT * FROM wrong")).toMatch(/^42P01/);
  });

  it("of an encoding that does not exist is an error", async () => {
    expect(await redshift.failure("CREATE TABLE wrong (a INT ENCODE best)")).toMatch(/^42601/);
  });
});

describe("defaults", () => {
  it("come with LIKE only when they are asked for", async () => {
    await redshift.rows(
      "CREATE TABLE defaults (a INT DEFAULT 7 NOT NULL, b TIMESTAMP DEFAULT GETDATE(), c INT DEFAULT NULL)",
    );
    await redshift.rows(
      "CREATE TABLE without (LIKE defaults); CREATE TABLE including (LIKE defaults INCLUDING DEFAULTS)",
    );
    await redshift.rows("INSERT INTO including (c) VALUES (1)");
    expect(await redshift.rows("SELECT a FROM including")).toEqual([{ a: 7 }]);
    expect(await redshift.failure("INSERT INTO without (c) VALUES (1)")).toMatch(/^23502/);
  });
});

describe("changes", () => {
  it("of a table's name are part of a transaction", async () => {
    await redshift.rows("CREATE TABLE before (a INT)");
    await redshift.rows("BEGIN; ALTER TABLE before RENAME TO after");
    await redshift.rows("ROLLBACK");
    await redshift.rows("ALTER TABLE before RENAME TO after");
    await redshift.rows("ALTER TABLE after ADD COLUMN b VARCHAR(2) ENCODE lzo DEFAULT 'x'");
    await redshift.rows("ALTER TABLE after RENAME COLUMN b TO c; INSERT INTO after VALUES (1)");
    expect(await redshift.rows("SELECT * FROM after")).toEqual([{ a: 1, c: "x" }]);
    expect(await redshift.failure("UPDATE after SET c = 'ää'")).toMatch(/^22001/);
    await redshift.rows("ALTER TABLE after DROP COLUMN c");
  });

  it("by TRUNCATE commit the transaction", async () => {
    await redshift.rows(
      "CREATE TABLE full_one (a INT); CREATE TABLE side (a INT); INSERT INTO full_one VALUES (1)",
    );
    await redshift.rows("BEGIN; INSERT INTO side VALUES (1); TRUNCATE full_one");
    expect(redshift.client.getTransactionStatus()).toBe("I");
    await redshift.rows("ROLLBACK");
    const counts =
      "SELECT (SELECT count(*)::int FROM full_one) AS full_one, (SELECT count(*)::int FROM side) AS side";
    expect(await redshift.rows(counts)).toEqual([{ full_one: 0, side: 1 }]);
  });

  it("by TRUNCATE commit in the extended protocol, too", async () => {
    await redshift.rows("BEGIN; INSERT INTO side VALUES (2)");
    await redshift.client.query({ name: "emptied", text: "TRUNCATE TABLE full_one" });
    expect(redshift.client.getTransactionStatus()).toBe("I");
    await redshift.rows("DELETE FROM side");
  });
});

describe("upkeep", () => {
  it.each([
    "ANALYZE bytes",
    "ANALYZE bytes (v)",
    "ANALYZE bytes PREDICATE COLUMNS",
    "VACUUM bytes",
    "VACUUM FULL bytes TO 99 PERCENT BOOST",
    "VACUUM SORT ONLY bytes",
    "VACUUM DELETE ONLY bytes TO 75 PERCENT",
    "VACUUM REINDEX bytes",
    "GRANT SELECT ON bytes TO PUBLIC",
    "LOCK bytes",
  ])("%s runs", async (sql) => {
    const alone = sql.startsWith("VACUUM");
    if (!alone) await redshift.rows("BEGIN");
    const { command } = await redshift.client.query(sql);
    expect(command).toBe(sql.split(" ")[0]);
    if (!alone) await redshift.rows("COMMIT");
  });

  it("grants to users, groups and roles", async () => {
    const name = `reader_${process.pid}`;
    await redshift.rows(`CREATE GROUP ${name}`);
    await redshift.rows(
      `GRANT SELECT ON TABLE bytes TO GROUP "${name}"; GRANT SELECT ON TABLE bytes TO ROLE "${name}"`,
    );
    expect(
      await redshift.rows(`SELECT has_table_privilege('${name}', 'bytes', 'select') AS may`),
    ).toEqual([{ may: true }]);
    await redshift.rows(`REVOKE ALL ON TABLE bytes FROM GROUP "${name}"; DROP GROUP ${name}`);
  });
});
