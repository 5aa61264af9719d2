/** A table of values that dumps are known to lose: 40 columns of 30 and more Postgres types. */

const COLUMNS: readonly (readonly [name: string, type: string, ...values: readonly string[]])[] = [
  ["small", "smallint", "-32768", "32767", "0"],
  ["whole", "integer", "-2147483648", "2147483647", "NULL"],
  ["big", "bigint", "-9223372036854775808", "9223372036854775807", "0"],
  ["exact", "numeric(38,10)", "1234567890123456789012345678.0123456789", "-0.0000000001", "0"],
  ["boundless", "numeric", "'NaN'", "'-Infinity'", "1e-200", "'Infinity'"],
  ["single", "real", "'NaN'", "'Infinity'", "1.17549435e-38", "0.1"],
  ["double", "double precision", "'-Infinity'", "0.1::float8 + 0.2::float8", "4.9e-324", "'-0'"],
  ["cash", "money", "'-92233720368547758.08'", "'0.01'", "'1234.5'"],
  ["yes", "boolean", "true", "false", "NULL"],
  ["fixed", "char(5)", "'a'", "''", "'äöü€𝄞'"],
  ["short", "varchar(20)", "'  both ends  '", "''", "E'tab\\there'"],
  ["words", "text", "''", "NULL", "E'line\\nbreak\\r\\nand \"quotes\", comma; \\\\backslash'"],
  ["null_like", "text", "'\\N'", "'NULL'", "'null'", "'\\.'", "E'\\\\\\\\N'"],
  ["unicode", "text", "E'\\uFEFFbom'", "'𝄞 🐘 é'", "E'e\\u0301'", "E'\\uFFFF'"],
  ["controls", "text", "E'\\x01\\x1f\\x7f'", "E'\\n'", "E'\\r'", "' '"],
  ["raw", "bytea", "'\\x00ff0a0d225c'", "''", "'\\xdeadbeef'"],
  ["day", "date", "'4713-01-01 BC'", "'infinity'", "'-infinity'", "'5874897-12-31'"],
  ["clock", "time", "'24:00:00'", "'00:00:00.000001'", "'12:34:56.789'"],
  ["clock_zone", "timetz", "'24:00:00+14'", "'00:00:00-15:59:59'", "'12:00+05:30'"],
  ["moment", "timestamp", "'0044-03-15 12:00 BC'", "'infinity'", "'294276-12-31 23:59:59.999999'"],
  [
    "moment_zone",
    "timestamptz",
    "'1900-01-01 00:00:00+05:21:10'",
    "'-infinity'",
    "'2026-03-29 02:30+02'",
  ],
  ["moment_3", "timestamp(3)", "'2026-01-01 00:00:00.123'", "'1999-12-31 23:59:59.999'", "NULL"],
  ["span", "interval", "'-1 year 2 mons -3 days 04:05:06.789'", "'178000000 years'", "'0'"],
  [
    "key",
    "uuid",
    "'00000000-0000-0000-0000-000000000000'",
    "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
  ],
  ["doc", "json", `'{"a": 1, "a": 2, "b": "\\n"}'`, "'null'", `'  [1,   2]'`],
  ["docb", "jsonb", `'{"big": 1e400, "quote": "\\""}'`, "'null'", `'""'`],
  ["numbers", "integer[]", "'{1,NULL,3}'", "'{}'", "'[0:1]={7,8}'"],
  ["texts", "text[]", `ARRAY['', NULL, 'NULL', '"', E'\\n', ',', '\\N', '@NULL@x']`, "'{}'"],
  ["grid", "integer[][]", "'{{1,2},{3,4}}'", "NULL"],
  ["mood", "src.mood", "'don''t'", `'say "yes", \\ so'`, "''"],
  ["moods", "src.mood[]", `ARRAY['don''t', '']::src.mood[]`, "'{}'"],
  ["limited", "src.positive", "1", "99"],
  ["pair", "src.pair", `ROW(1, 'x,"y"')`, "ROW(NULL, '')", "ROW(NULL, NULL)"],
  ["ints", "int4range", "'[1,10)'", "'empty'", "'(,)'"],
  ["times", "tsrange", `'["2026-01-01 00:00","2026-01-02 00:00")'`, "'empty'"],
  ["many", "int4multirange", "'{[1,3),[5,8)}'", "'{}'"],
  ["address", "inet", "'::1'", "'10.0.0.1/8'"],
  ["network", "cidr", "'10.0.0.0/8'", "'::/0'"],
  ["hardware", "macaddr", "'08:00:2b:01:02:03'"],
  ["flags", "bit(3)", "B'101'", "B'000'"],
  ["more_flags", "varbit", "B''", "B'1'"],
  ["spot", "point", "'(1.5,-0)'", "'(NaN,Infinity)'"],
  ["vector", "tsvector", `'''it''''s'':1A fat:2'`, "''"],
  ["search", "tsquery", `'fat & !rat'`],
  ["ident", "name", `'Mixed "Case"'`, "''"],
  ["one_byte", '"char"', "'a'", "''"],
  ["object", "oid", "4294967295", "0"],
  ["place", "pg_lsn", "'FFFFFFFF/FFFFFFFF'", "'0/0'"],
  [`odd "Name", with; all\\`, "text", "'x'", "''"],
  ["Größe", "text", "'x'", "NULL"],
];

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** Types besides the built-in ones. */
export const TYPES = `
  CREATE SCHEMA src;
  CREATE TYPE src.mood AS ENUM ('don''t', 'say "yes", \\ so', '');
  CREATE DOMAIN src.positive AS integer CHECK (VALUE > 0);
  CREATE TYPE src.pair AS (number integer, words text);`;

/** One row for each value, in which other columns are NULL; one with all first values; one of NULLs. */
export const HOSTILE_TABLE = `${TYPES}
  CREATE TABLE src."Hostile" (${COLUMNS.map(([name, type]) => `${quoted(name)} ${type}`).join(", ")},
    computed integer GENERATED ALWAYS AS (whole / 2) STORED,
    counted bigint GENERATED ALWAYS AS IDENTITY);
  ${COLUMNS.flatMap(([name, , ...values]) =>
    values.map((value) => `INSERT INTO src."Hostile" (${quoted(name)}) VALUES (${value});`),
  ).join("\n")}
  INSERT INTO src."Hostile" (${COLUMNS.map(([name]) => quoted(name)).join(", ")})
    VALUES (${COLUMNS.map(([, , value]) => value).join(", ")});
  INSERT INTO src."Hostile" DEFAULT VALUES;`;

export const TYPE_COUNT = new Set(COLUMNS.map(([, type]) => type)).size;
