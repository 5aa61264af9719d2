/** The stand-in for Redshift: how a session begins and ends, and what holds for all of its statements. */
import { once } from "node:events";
import { createConnection } from "node:net";
import { beforeAll, describe, expect, it } from "vitest";
import { administer } from "../../integration/data/data-stores.ts";
import { openRedshift, type Redshift } from "./support.ts";

let redshift: Redshift;
beforeAll(async () => {
  redshift = await openRedshift();
});

const value = async (sql: string, from: Redshift = redshift): Promise<unknown> =>
  Object.values((await from.rows(sql))[0] ?? {})[0];

/** Resolves when the query gives a row. */
async function until(sql: string, from: Redshift = redshift): Promise<void> {
  while ((await from.rows(sql)).length === 0) await from.rows("SELECT pg_sleep(0.02)");
}

describe("the beginning of a session", () => {
  it("says that it is Redshift, and in its version that it is a stand-in", async () => {
    expect(await value("SELECT version()")).toMatch(/^PostgreSQL 8\.0\.2 .* Redshift .*stand-in/);
  });

  it("proves the password to Postgres", async () => {
    const wrong = redshift.another({
      connectionString: redshift.url.replace("redshift:", "postgres:").replace(":test@", ":no@"),
    });
    await expect(wrong).rejects.toThrow(/password authentication failed/);
  });

  it.each(["lock_timeout", "idle_in_transaction_session_timeout"])(
    "refuses the start-up parameter %s, which Redshift does not know",
    async (name) => {
      await expect(redshift.another({ [name]: 1000 })).rejects.toThrow(
        `unrecognized configuration parameter "${name}"`,
      );
    },
  );

  it("refuses start-up options", async () => {
    await expect(redshift.another({ options: "-c work_mem=1MB" })).rejects.toThrow(
      'unrecognized configuration parameter "options"',
    );
  });

  it("keeps the clock in UTC and sees one snapshot in a transaction", async () => {
    expect(await value("SHOW timezone")).toBe("UTC");
    expect(await value("SHOW transaction_isolation")).toBe("repeatable read");
  });
});

describe("statements", () => {
  it("take parameters by the extended protocol", async () => {
    await redshift.rows("CREATE TABLE params (id INT, name VARCHAR(20))");
    await redshift.client.query("INSERT INTO params VALUES ($1, $2)", [7, "seven"]);
    const { rows } = await redshift.client.query("SELECT name FROM params WHERE id = $1", [7]);
    expect(rows).toEqual([{ name: "seven" }]);
  });

  it("are one transaction when one message has several", async () => {
    expect(await redshift.failure("CREATE TABLE half (id INT); SELECT 1/0")).toMatch(/^22012/);
    expect(await redshift.rows("SELECT 1 FROM pg_class WHERE relname = 'half'")).toEqual([]);
    await redshift.rows("CREATE TABLE whole (id INT); INSERT INTO whole VALUES (1)");
    expect(await value("SELECT count(*) FROM whole")).toBe("1");
  });

  it("that are refused fail the transaction, as if Redshift had refused them", async () => {
    await redshift.rows("BEGIN");
    expect(await redshift.failure("CREATE INDEX i ON params (id)")).toMatch(/^0A000/);
    expect(await redshift.failure("SELECT 1")).toMatch(/^25P02/);
    expect(await redshift.failure("CREATE INDEX i ON params (id)")).toMatch(/^25P02/);
    await redshift.rows("ROLLBACK");
    expect(await value("SELECT 1")).toBe(1);
  });

  it("that are refused by the extended protocol leave the session usable", async () => {
    const refused = redshift.client.query({ name: "refused", text: "SAVEPOINT a" });
    await expect(refused).rejects.toThrow("SAVEPOINT is not supported by Amazon Redshift");
    const { rows } = await redshift.client.query("SELECT $1::int AS one", [1]);
    expect(rows).toEqual([{ one: 1 }]);
  });

  it("may be empty", async () => {
    await expect(redshift.client.query(" ; -- nothing")).resolves.toBeDefined();
  });

  it("read backslashes in literals as escapes", async () => {
    expect(await value("SELECT 'a\\\\b\\'c\\n'")).toBe("a\\b'c\n");
    expect(await value("SELECT $$a\\b$$")).toBe("a\\b");
  });
});

describe("cancelling", () => {
  it("ends the statement and keeps the session", async () => {
    const session = await redshift.another();
    const slow = session.failure("SELECT pg_sleep(60)");
    await until("SELECT 1 FROM sys_query_history WHERE query_text LIKE 'SELECT pg_sleep(60%'");
    const pid = await value(
      "SELECT session_id FROM sys_query_history WHERE query_text LIKE 'SELECT pg_sleep(60%'",
    );
    await redshift.rows(`CANCEL ${String(pid)}`);
    expect(await slow).toMatch(/^57014/);
    expect(await value("SELECT 1", session)).toBe(1);
  });

  it("ends a session that is terminated", async () => {
    const session = await redshift.another();
    const pid = await value("SELECT pg_backend_pid()", session);
    const slow = session.failure("SELECT pg_sleep(60)");
    await redshift.rows(`SELECT pg_terminate_backend(${String(pid)})`);
    expect(await slow).toMatch(/^57P01|terminat/);
  });

  it("are not the name of the client", async () => {
    const session = await redshift.another({ application_name: "named" });
    await session.rows("SET application_name TO 'named'");
    const slow = session.failure("SELECT pg_sleep(60)");
    const running =
      "SELECT session_id, query_label FROM sys_query_history WHERE query_text LIKE '%pg_sleep(60)%' AND session_id <> pg_backend_pid()";
    await until(running);
    const [found] = await redshift.rows(running);
    expect(String(found?.["query_label"]).trim()).toBe("");
    await redshift.rows(`SELECT pg_terminate_backend(${String(found?.["session_id"])})`);
    expect(await slow).toMatch(/^57P01|terminat/);
  });
});

describe("a client that is gone", () => {
  it("before it said its password leaves nobody in Postgres waiting for it", async () => {
    const { hostname, port } = new URL(redshift.url);
    const socket = createConnection(Number(port), hostname);
    const words = Buffer.from("user\0postgres\0database\0postgres\0\0");
    const head = Buffer.alloc(8);
    head.writeInt32BE(head.length + words.length, 0);
    head.writeInt32BE(196_608, 4);
    socket.write(Buffer.concat([head, words]));
    await once(socket, "data");
    const starting = async () => {
      const sql = "SELECT pid FROM pg_stat_activity WHERE state = 'starting'";
      return (await administer(redshift.postgresUrl, sql)).map(({ pid }) => pid);
    };
    const waiting = await starting();
    expect(waiting).not.toEqual([]);
    socket.destroy();
    await expect
      .poll(async () => (await starting()).filter((pid) => waiting.includes(pid)))
      .toEqual([]);
  });

  it("leaves its statement running, and what it did is committed", async () => {
    const session = await redshift.another();
    const sql = "CREATE TABLE outlived AS SELECT 1 AS one, pg_sleep(1)::varchar AS nothing";
    const running = session.client.query(sql).catch(() => "gone");
    await until(
      "SELECT 1 FROM sys_query_history WHERE query_text LIKE '%CREATE TABLE \"outlived\"%' AND session_id <> pg_backend_pid()",
    );
    session.client.connection.stream.destroy();
    await running;
    await until("SELECT 1 FROM pg_class WHERE relname = 'outlived'");
    expect(await value("SELECT one FROM outlived")).toBe(1);
  });

  it("loses a transaction that it had begun", async () => {
    const session = await redshift.another();
    await session.rows("BEGIN; INSERT INTO params VALUES (8, 'eight')");
    const pid = await value("SELECT pg_backend_pid()", session);
    session.client.connection.stream.destroy();
    await until(
      `SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM stv_sessions WHERE process = ${String(pid)})`,
    );
    expect(await redshift.rows("SELECT 1 FROM params WHERE id = 8")).toEqual([]);
  });
});

describe("labels", () => {
  it("of a session's queries are seen by other sessions while they run", async () => {
    const session = await redshift.another();
    await session.rows("SET query_group TO 'Load(date=2026-01-01)'");
    const slow = session.failure("SELECT pg_sleep(60)");
    const labelled =
      "SELECT session_id FROM sys_query_history WHERE query_label = 'Load(date=2026-01-01)' AND status = 'running'";
    await until(labelled);
    await redshift.rows(`SELECT pg_terminate_backend(${String(await value(labelled))})`);
    expect(await slow).toMatch(/^57P01|terminat/);
  });
});

describe("conflicts", () => {
  it("come as error 1023, on demand and so many times", async () => {
    await redshift.rows("CALL sluice_standin.conflict('public.params', 2)");
    await redshift.rows("BEGIN");
    expect(await redshift.failure("DELETE FROM params WHERE id = 1")).toBe("XX000 1023");
    expect(await redshift.failure("SELECT 1")).toMatch(/^25P02/);
    await redshift.rows("ROLLBACK");
    const write = redshift.client.query("INSERT INTO params VALUES ($1, 'x')", [1]);
    await expect(write).rejects.toMatchObject({
      detail: expect.stringContaining("Serializable isolation violation on table"),
    });
    await redshift.rows("DELETE FROM params WHERE id = 1");
  });

  it("come as error 1023 when two transactions change the same row", async () => {
    const other = await redshift.another();
    await redshift.rows("BEGIN; SELECT count(*) FROM params");
    await other.rows("UPDATE params SET name = 'other' WHERE id = 7");
    expect(await redshift.failure("UPDATE params SET name = 'mine' WHERE id = 7")).toBe(
      "XX000 1023",
    );
    await redshift.rows("ROLLBACK");
  });

  it("may be planned by nothing else: CALL of anything else is refused", async () => {
    expect(await redshift.failure("CALL other()")).toMatch(/^0A000 CALL is not carried out/);
  });
});
