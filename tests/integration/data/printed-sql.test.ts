/** What `sluice sql` prints is what the run sends, to the letter: compared on the wire. */
import { Temporal } from "temporal-polyfill";
import { beforeAll, expect, test } from "vitest";
import { bindOutputs } from "../../../src/core/target.ts";
import { isTask, type Task } from "../../../src/core/task.ts";
import { sessionLabel } from "../../../src/stores/postgres/address.ts";
import { CREATE_MARKER_TABLE } from "../../../src/sql/postgres/marker.ts";
import type { OpenedStores } from "../../../src/stores/open-stores.ts";
import { TableCopyToS3 } from "../../../src/tasks/copy-table-to-s3.ts";
import { LoadTable } from "../../../src/tasks/load-table.ts";
import { CreateTableFromSelectQuery } from "../../../src/tasks/replace-from-select.ts";
import { RunSql } from "../../../src/tasks/run-sql.ts";
import { administer, freshStores, opened, runTask } from "./data-stores.ts";
import { proxied } from "../../support/proxied.ts";
import type { TcpProxy } from "../../support/tcp-proxy.ts";

const date = Temporal.PlainDate.from("2026-11-21");

let stores: OpenedStores;
let proxy: TcpProxy;

beforeAll(async () => {
  const fresh = await freshStores();
  const through = await proxied(fresh.url);
  ({ proxy } = through);
  stores = opened({ ...fresh.settings, sourceUrl: through.url, warehouseUrl: through.url });
  await administer(
    fresh.url,
    `CREATE SCHEMA shop;
     CREATE TABLE shop."Orders" AS SELECT n AS id, 'it''s ' || n AS words, date '2026-11-21' AS day
       FROM generate_series(1, 10) AS n`,
  );
});

/** Looks at the catalog, which `sql` makes too: they change nothing and are not printed. */
const LOOKS = [/pg_backend_pid\(\)/, /txid_current_snapshot\(\)/, /LIMIT 0$/];

/** The simple-protocol statements of the session that carries the task's id. */
async function sentBy(task: Task, work: () => Promise<unknown>): Promise<string[]> {
  const byLink = new Map<unknown, Buffer[]>();
  proxy.rules = {
    onClient: (bytes, link) => byLink.set(link, [...(byLink.get(link) ?? []), Buffer.from(bytes)]),
  };
  await work();
  proxy.rules = {};
  const sessions = [...byLink.values()].map((chunks) => Buffer.concat(chunks));
  const own = sessions.filter((bytes) =>
    bytes.includes(`application_name\0${sessionLabel(task.id)}\0`),
  );
  expect(own).toHaveLength(1);
  return own.flatMap(simpleQueries).filter((sql) => !LOOKS.some((look) => look.test(sql)));
}

function simpleQueries(session: Buffer): string[] {
  const queries: string[] = [];
  // The start-up message has no type.
  let at = session.readUInt32BE(0);
  while (at < session.length) {
    const length = session.readUInt32BE(at + 1);
    if (session[at] === 0x51) queries.push(session.toString("utf8", at + 5, at + length));
    at += 1 + length;
  }
  return queries;
}

async function printed(task: Task): Promise<readonly string[]> {
  const signal = new AbortController().signal;
  const requirement = task.family.requirementsOf(task);
  const input = isTask(requirement)
    ? bindOutputs(requirement.outputs, { task: requirement, stores, signal })
    : undefined;
  const { source, warehouse, s3 } = stores;
  const output = bindOutputs(task.outputs, { task, stores, signal });
  const { params } = task;
  return (
    (await task.family.sql?.({ task, params, input, output, source, warehouse, s3, signal })) ?? []
  );
}

const query = `SELECT id, day FROM shop."Orders" WHERE words LIKE 'it''s %';`;
const next = date.add({ days: 1 });

test.each<[string, Task]>([
  ["TableCopyToS3 of a table", TableCopyToS3({ table: "shop.Orders", date })],
  ["TableCopyToS3 of a query", TableCopyToS3({ table: "shop.Orders", date, query })],
  ["LoadTable that creates", LoadTable({ table: "shop.Orders", date, into: "copy.orders" })],
  [
    "LoadTable of a slice",
    LoadTable({ table: "shop.Orders", date, query, slice: "day", into: "s" }),
  ],
  ["LoadTable that replaces", LoadTable({ table: "shop.Orders", date, query, into: "s" })],
  ["RunSql", RunSql({ sql: "DELETE FROM s; INSERT INTO s VALUES (1)", table: "s", date })],
  [
    "CreateTableFromSelectQuery that creates",
    CreateTableFromSelectQuery({ table: "mart.m", query, date }),
  ],
  [
    "CreateTableFromSelectQuery that replaces",
    CreateTableFromSelectQuery({ table: "mart.m", query, date: next }),
  ],
])("%s", async (_name, task) => {
  const before = await printed(task);
  const sent = await sentBy(task, () => runTask(task, stores));
  expect(sent.length).toBeGreaterThan(5);
  // The marker table, once in the life of a warehouse, is created by a session of its own.
  expect(sent).toEqual(before.filter((sql) => sql !== CREATE_MARKER_TABLE));
});
