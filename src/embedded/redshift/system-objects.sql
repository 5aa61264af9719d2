-- What Redshift has and Postgres has not: types, functions, system tables. Run once in each database of
-- the stand-in, as superuser, in one transaction. What Redshift keeps in pg_catalog is put there; the rest is in a schema of
-- the stand-in's own.
SET LOCAL allow_system_table_mods = on;
SET LOCAL client_min_messages = warning;

CREATE SCHEMA sluice_standin;
GRANT USAGE ON SCHEMA sluice_standin TO PUBLIC;
CREATE SEQUENCE sluice_standin.query_id AS integer;
GRANT USAGE ON SEQUENCE sluice_standin.query_id TO PUBLIC;

-- SUPER is JSON text, checked when it comes in.
CREATE TYPE pg_catalog.super;
CREATE FUNCTION pg_catalog.super_in(cstring) RETURNS super
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'json_in';
CREATE FUNCTION pg_catalog.super_out(super) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'json_out';
CREATE TYPE pg_catalog.super (INPUT = super_in, OUTPUT = super_out, LIKE = json);
CREATE FUNCTION pg_catalog.json_parse(text) RETURNS super
  LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1::json::text::super';
-- JSON_SERIALIZE is a keyword of Postgres, so calls of it are led here.
CREATE FUNCTION sluice_standin.json_serialize(super) RETURNS varchar
  LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1::text::varchar';
CREATE FUNCTION pg_catalog.json_extract_path_text(text, VARIADIC text[]) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1::json #>> $2';

-- VARBYTE is kept as the hexadecimal text that Redshift shows of it.
CREATE TYPE pg_catalog.varbyte;
CREATE FUNCTION pg_catalog.varbyte_in(cstring) RETURNS varbyte
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'textin';
CREATE FUNCTION pg_catalog.varbyte_out(varbyte) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'textout';
CREATE FUNCTION pg_catalog.varbyte_typmod_in(cstring[]) RETURNS integer
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'varchartypmodin';
CREATE FUNCTION pg_catalog.varbyte_typmod_out(integer) RETURNS cstring
  LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'varchartypmodout';
CREATE TYPE pg_catalog.varbyte (
  INPUT = varbyte_in, OUTPUT = varbyte_out,
  TYPMOD_IN = varbyte_typmod_in, TYPMOD_OUT = varbyte_typmod_out, LIKE = text);
CREATE FUNCTION pg_catalog.to_varbyte(text, text) RETURNS varbyte
  LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT CASE lower($2)
    WHEN 'hex' THEN encode(decode($1, 'hex'), 'hex')
    WHEN 'utf8' THEN encode(convert_to($1, 'UTF8'), 'hex')
  END::varbyte $$;

CREATE FUNCTION pg_catalog.from_varbyte(varbyte, text) RETURNS varchar
  LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT CASE lower($2)
    WHEN 'hex' THEN $1::text
    WHEN 'utf8' THEN convert_from(decode($1::text, 'hex'), 'UTF8')
  END::varchar $$;

CREATE FUNCTION pg_catalog.getdate() RETURNS timestamp
  LANGUAGE sql STABLE AS 'SELECT statement_timestamp()::timestamp(0)';
CREATE FUNCTION pg_catalog.len(text) RETURNS integer
  LANGUAGE sql IMMUTABLE STRICT AS 'SELECT char_length($1)';
CREATE OR REPLACE FUNCTION pg_catalog.version() RETURNS text
  LANGUAGE sql STABLE STRICT AS $$
  SELECT 'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2, Redshift 1.0 (stand-in of Sluice, not Amazon Redshift)' $$;

-- How tables would be laid out.
CREATE TABLE sluice_standin.layout (
  relation oid PRIMARY KEY,
  layout json NOT NULL
);

-- Lengths are bytes, and keys are not enforced, however a table came to be.
-- Volatile, or the planner would call it where no row calls for it.
CREATE FUNCTION sluice_standin.too_long(type text, bytes integer) RETURNS boolean
  LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = '22001',
    MESSAGE = format('value too long for type %s(%s)', type, bytes);
END $$;

CREATE FUNCTION sluice_standin.guards(relation oid)
  RETURNS TABLE (name text, condition text)
  LANGUAGE sql STABLE AS $$
  SELECT format('bytes_%s_%s', attnum, atttypmod - 4),
    CASE WHEN atttypid = 'varbyte'::regtype
      THEN format('%I::text ~ ''^([0-9a-f]{2})*$'' AND (coalesce(length(%1$I::text), 0) <= %2$s OR sluice_standin.too_long(''varbyte'', %3$s))',
        attname, (atttypmod - 4) * 2, atttypmod - 4)
      ELSE format('coalesce(octet_length(%I), 0) <= %s OR sluice_standin.too_long(''character varying'', %2$s)',
        attname, atttypmod - 4)
    END
  FROM pg_attribute
  WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped AND atttypmod >= 4
    AND atttypid IN ('varchar'::regtype, 'varbyte'::regtype) $$;

CREATE FUNCTION sluice_standin.guard(relation regclass) RETURNS void
  LANGUAGE plpgsql AS $$
DECLARE
  changes text;
BEGIN
  -- The type of text without a length, which a query may give, does not exist in Redshift.
  SELECT string_agg(format('ALTER COLUMN %I TYPE varchar(65535)', attname), ', ') INTO changes
    FROM pg_attribute
    WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped
      AND (atttypid = 'text'::regtype OR atttypid = 'varchar'::regtype AND atttypmod < 4);
  IF changes IS NOT NULL THEN
    EXECUTE format('ALTER TABLE %s %s', relation, changes);
  END IF;
  SELECT string_agg(change, ', ') INTO changes FROM (
    SELECT format('DROP CONSTRAINT %I', conname) AS change FROM pg_constraint
      WHERE conrelid = relation AND conname ~ '^bytes_\d+_\d+$'
        AND conname NOT IN (SELECT name FROM sluice_standin.guards(relation))
    UNION ALL
    SELECT format('ADD CONSTRAINT %I CHECK (%s)', name, condition) FROM sluice_standin.guards(relation)
      WHERE name NOT IN (SELECT conname FROM pg_constraint WHERE conrelid = relation)
  ) AS all_changes;
  IF changes IS NOT NULL THEN
    EXECUTE format('ALTER TABLE %s %s', relation, changes);
  END IF;
END $$;

CREATE FUNCTION sluice_standin.after_ddl() RETURNS event_trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  command record;
  layout text := nullif(current_setting('sluice_standin.layout', true), '');
BEGIN
  FOR command IN SELECT DISTINCT objid, command_tag FROM pg_event_trigger_ddl_commands()
    WHERE object_type = 'table' AND classid = 'pg_class'::regclass
  LOOP
    IF command.command_tag LIKE 'CREATE TABLE%' AND layout IS NOT NULL THEN
      INSERT INTO sluice_standin.layout VALUES (command.objid, layout::json)
        ON CONFLICT (relation) DO UPDATE SET layout = EXCLUDED.layout;
    END IF;
    PERFORM sluice_standin.guard(command.objid);
  END LOOP;
END $$;

-- Loads and unloads.
CREATE TABLE sluice_standin.load_error (
  at timestamp NOT NULL DEFAULT localtimestamp,
  query integer NOT NULL,
  session integer NOT NULL,
  tbl oid NOT NULL,
  filename text NOT NULL,
  line_number bigint NOT NULL,
  colname text NOT NULL,
  type text NOT NULL,
  col_length text NOT NULL,
  raw_line text NOT NULL,
  raw_field_value text NOT NULL,
  err_code integer NOT NULL,
  err_reason text NOT NULL
);
CREATE VIEW pg_catalog.stl_load_errors AS
  SELECT 100 AS userid, 0 AS slice, tbl::bigint::integer AS tbl, at AS starttime, session, query,
    filename::character(256) AS filename, line_number, colname::character(127) AS colname,
    type::character(10) AS type, col_length::character(10) AS col_length, 0 AS position,
    raw_line::character(1024) AS raw_line, raw_field_value::character(1024) AS raw_field_value,
    err_code, err_reason::character(100) AS err_reason, 0 AS is_partial, 0::bigint AS start_offset
  FROM sluice_standin.load_error;
CREATE VIEW pg_catalog.sys_load_error_detail AS
  SELECT 100 AS user_id, query::bigint AS query_id, 0::bigint AS transaction_id,
    session AS session_id, current_database()::character(64) AS database_name,
    tbl::bigint::integer AS table_id, at AS start_time, filename::character(256) AS file_name,
    line_number, colname::character(127) AS column_name, type::character(10) AS column_type,
    col_length::character(10) AS column_length, 0 AS position, err_code AS error_code,
    err_reason::character(512) AS error_message
  FROM sluice_standin.load_error;

CREATE TABLE sluice_standin.unloaded_file (
  at timestamp NOT NULL DEFAULT localtimestamp,
  query integer NOT NULL,
  pid integer NOT NULL,
  path text NOT NULL,
  line_count bigint NOT NULL,
  transfer_size bigint NOT NULL
);
CREATE VIEW pg_catalog.stl_unload_log AS
  SELECT 100 AS userid, query, 0 AS slice, pid, path::character(1280) AS path, at AS start_time,
    at AS end_time, line_count, transfer_size
  FROM sluice_standin.unloaded_file;
CREATE VIEW pg_catalog.sys_unload_detail AS
  SELECT 100 AS user_id, query::bigint AS query_id, 0::bigint AS transaction_id, pid AS session_id,
    current_database()::character(64) AS database_name, path::character(256) AS file_name,
    at AS start_time, at AS end_time, line_count AS row_count, transfer_size AS file_size
  FROM sluice_standin.unloaded_file;

-- Sessions, and what each ran last. The label of a session's queries is its query_group.
CREATE TABLE sluice_standin.session (
  pid integer NOT NULL,
  started timestamptz NOT NULL,
  owner oid NOT NULL
);
-- Redshift forgets after a week, too.
CREATE FUNCTION sluice_standin.note_session() RETURNS void
  LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM sluice_standin.session WHERE started < now() - interval '7 days';
  INSERT INTO sluice_standin.session SELECT pid, backend_start, usesysid FROM pg_stat_activity
    WHERE pid = pg_backend_pid() $$;
CREATE VIEW pg_catalog.sys_session_history AS
  SELECT s.owner::bigint::text::character(50) AS user_id, s.pid AS session_id,
    current_database()::character(50) AS database_name,
    CASE WHEN a.pid IS NULL THEN 'closed' ELSE 'active' END::character(9) AS status,
    0 AS session_timeout, s.started::timestamp AS start_time, NULL::timestamp AS end_time
  FROM sluice_standin.session AS s
  LEFT JOIN pg_stat_activity AS a ON a.pid = s.pid AND a.backend_start = s.started;
CREATE VIEW pg_catalog.sys_query_history AS
  SELECT usesysid::bigint::integer AS user_id, pid::bigint AS query_id,
    application_name::character(320) AS query_label,
    coalesce(backend_xid::text::bigint, 0) AS transaction_id, pid AS session_id,
    datname::character(128) AS database_name,
    CASE state WHEN 'active' THEN 'running' WHEN 'idle in transaction (aborted)' THEN 'failed'
      ELSE 'success' END::character(10) AS status,
    query_start::timestamp AS start_time,
    CASE WHEN state <> 'active' THEN state_change END::timestamp AS end_time,
    query::character(4000) AS query_text
  FROM pg_stat_activity
  WHERE backend_type = 'client backend' AND query <> '' AND datname = current_database();
CREATE VIEW pg_catalog.svv_transactions AS
  SELECT a.usename::text AS txn_owner, a.datname::text AS txn_db,
    coalesce(a.backend_xid::text::bigint, 0) AS xid, a.pid, a.xact_start::timestamp AS txn_start,
    l.mode AS lock_mode, l.locktype AS lockable_object_type,
    l.relation::bigint::integer AS relation, l.granted
  FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
  WHERE a.backend_type = 'client backend' AND a.xact_start IS NOT NULL
    AND (l.database IS NULL OR l.database = (SELECT oid FROM pg_database WHERE datname = a.datname));
CREATE VIEW pg_catalog.stv_sessions AS
  SELECT backend_start::timestamp AS starttime, pid AS process, usename::character(50) AS user_name,
    datname::character(50) AS db_name, 0 AS timeout_sec
  FROM pg_stat_activity WHERE backend_type = 'client backend';
CREATE VIEW pg_catalog.stv_slices AS
  SELECT 0 AS node, slice, slice AS localslice, 'D'::character(1) AS type
  FROM generate_series(0, 1) AS slice;

-- Tables.
CREATE VIEW pg_catalog.pg_table_def AS
  SELECT n.nspname AS schemaname, c.relname AS tablename, a.attname AS "column",
    format_type(a.atttypid, a.atttypmod) AS type,
    coalesce(l.layout -> 'encodings' ->> a.attname, 'none') AS encoding,
    coalesce(l.layout ->> 'distKey' = a.attname, false) AS distkey,
    coalesce((SELECT CASE WHEN l.layout ->> 'sortStyle' = 'INTERLEAVED' AND position % 2 = 0
        THEN -position ELSE position END
      FROM json_array_elements_text(l.layout -> 'sortKeys') WITH ORDINALITY AS k (name, position)
      WHERE k.name = a.attname), 0)::integer AS sortkey,
    a.attnotnull AS "notnull"
  FROM pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN sluice_standin.layout AS l ON l.relation = c.oid
  WHERE c.relkind = 'r' AND n.nspname = ANY (current_schemas(false))
  ORDER BY n.nspname, c.relname, a.attnum;

CREATE FUNCTION sluice_standin.count_rows(relation regclass) RETURNS bigint
  LANGUAGE plpgsql STABLE AS $$
DECLARE
  rows bigint;
BEGIN
  EXECUTE format('SELECT count(*) FROM %s', relation) INTO rows;
  RETURN rows;
END $$;
-- Empty tables are not in it: that is how Redshift has it.
CREATE VIEW pg_catalog.svv_table_info AS
  SELECT * FROM (
    SELECT current_database()::text AS database, n.nspname::text AS schema,
      c.oid::bigint::integer AS table_id, c.relname::text AS "table",
      CASE WHEN coalesce(l.layout ->> 'encodings', '{}') = '{}' THEN 'N' ELSE 'Y' END AS encoded,
      CASE WHEN l.layout ->> 'distKey' IS NOT NULL THEN format('KEY(%s)', l.layout ->> 'distKey')
        ELSE coalesce(l.layout ->> 'distStyle', 'AUTO(ALL)') END AS diststyle,
      CASE WHEN l.layout ->> 'sortStyle' = 'INTERLEAVED' THEN 'INTERLEAVED'
        ELSE l.layout -> 'sortKeys' ->> 0 END AS sortkey1,
      coalesce(json_array_length(l.layout -> 'sortKeys'), 0) AS sortkey_num,
      (pg_total_relation_size(c.oid) + 1048575) / 1048576 AS size,
      sluice_standin.count_rows(c.oid)::numeric(38,0) AS tbl_rows
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN sluice_standin.layout AS l ON l.relation = c.oid
    WHERE c.relkind = 'r'
      AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'sluice_standin')
      AND n.nspname !~ '^pg_(temp|toast)'
  ) AS tables
  WHERE tbl_rows > 0;

GRANT SELECT ON ALL TABLES IN SCHEMA sluice_standin TO PUBLIC;
GRANT SELECT ON pg_catalog.stl_load_errors, pg_catalog.sys_load_error_detail,
  pg_catalog.stl_unload_log, pg_catalog.sys_unload_detail, pg_catalog.sys_query_history,
  pg_catalog.sys_session_history,
  pg_catalog.svv_transactions, pg_catalog.stv_sessions, pg_catalog.stv_slices,
  pg_catalog.pg_table_def, pg_catalog.svv_table_info TO PUBLIC;
CREATE EVENT TRIGGER sluice_standin_after_ddl ON ddl_command_end
  WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE')
  EXECUTE FUNCTION sluice_standin.after_ddl();
