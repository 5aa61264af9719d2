/** KillOpenSessions ends who it is told to, in both dialects: real sessions that lock, sleep and wait. */
import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { Temporal } from "temporal-polyfill";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Step } from "../../../src/core/stores.ts";
import type { Task } from "../../../src/core/task.ts";
import { countRows } from "../../../src/tasks/count-rows.ts";
import { KillOpenSessions, killOpenSessions } from "../../../src/tasks/kill-open-sessions.ts";
import { RunSql } from "../../../src/tasks/run-sql.ts";
import { attempt, outputsOf } from "../data/data-stores.ts";
import { IS_CLUSTER } from "../../support/redshift.ts";
import { DIALECTS, freshPlace, type Place, runTask } from "./warehouses.ts";

const date = Temporal.PlainDate.from("2026-11-21");
const next = date.add({ days: 1 });
/** What `pg` says of a session that the server has ended. */
const ENDED = /terminat|queryable/i;

describe.each(DIALECTS)("%s", (dialect) => {
  let place: Place;
  const sessions: Client[] = [];
  /** They use roles and functions of the Postgres behind, which a cluster has not. */
  const behind = dialect === "redshift" && IS_CLUSTER;

  beforeAll(async () => {
    place = await freshPlace(dialect);
    await atomically("CREATE SCHEMA shop");
  });

  afterEach(async () => {
    await Promise.all(sessions.splice(0).map((session) => session.end().catch(() => {})));
  });

  const run = (task: Task) => runTask(task, place.stores);
  const count = (table: string) => countRows(place.stores.warehouse, table);
  const markerOf = () => {
    const task = RunSql({ sql: randomBytes(6).toString("hex"), table: "shop.any", date });
    return outputsOf(task, place.stores, { attempt: attempt() });
  };
  const atomically = (...steps: readonly Step[]) =>
    place.stores.warehouse.atomically(markerOf(), ...steps);
  const serially = (...steps: readonly Step[]) =>
    place.stores.warehouse.serially(markerOf(), ...steps);
  const filled = async (table: string) =>
    await atomically(
      `CREATE TABLE ${table} (id integer, page varchar(20))`,
      `INSERT INTO ${table} VALUES (1, 'a'), (2, 'b')`,
    );

  /** A session of somebody else, with an open transaction that locks the table. */
  async function locking(table: string, label = "somebody", user?: string): Promise<Client> {
    const url = new URL(String(place.settings.warehouseUrl).replace(/^redshift/, "postgres"));
    if (user !== undefined) url.username = url.password = user;
    const session = new Client({ connectionString: url.href, application_name: label });
    session.on("error", () => {});
    await session.connect();
    if (dialect === "redshift") await session.query(`SET query_group TO '${label}'`);
    sessions.push(session);
    await session.query(`BEGIN; DELETE FROM ${table}`);
    return session;
  }

  test("ends the session that locks a table: what it had not committed is gone", async () => {
    await filled("shop.locked");
    await filled("shop.other");
    const [idle, bystander] = [await locking("shop.locked"), await locking("shop.other")];
    const task = KillOpenSessions({ table: "shop.locked", date });
    expect(await run(task)).toEqual({ rows: 1 });
    await expect(idle.query("COMMIT")).rejects.toThrow(ENDED);
    await bystander.query("COMMIT");
    expect([await count("shop.locked"), await count("shop.other")]).toEqual([2, 0]);
    expect(await run(KillOpenSessions({ table: "shop.locked", date: next }))).toEqual({
      rows: 0,
    });
  });

  test("a transaction does not take it: its effect could not be undone", async () => {
    await expect(atomically(killOpenSessions({ table: "shop.x" }))).rejects.toMatchObject({
      code: "KILL_IN_TRANSACTION",
    });
  });

  test("never ends the session that it runs in", async () => {
    const marker = markerOf();
    // Nothing was executed before, and something was: a look is made by the session itself, or not.
    for (const before of [[], ["SELECT 1"]]) {
      const own = { ...marker, updateId: `${marker.updateId}${before.length}` };
      const step = killOpenSessions({ label: own.updateId });
      const done = await place.stores.warehouse.serially(own, ...before, step);
      expect(done).toEqual({ rows: 0, already: false });
    }
  });

  test.skipIf(behind)("ends those of a user", async () => {
    await filled("shop.users");
    const user = `user_${randomBytes(4).toString("hex")}`;
    await place.admin(`CREATE ROLE ${user} LOGIN PASSWORD '${user}';
        GRANT USAGE ON SCHEMA shop TO ${user}; GRANT ALL ON shop.users TO ${user}`);
    try {
      const idle = await locking("shop.users", "theirs", user);
      expect(await serially(killOpenSessions({ user }))).toMatchObject({ rows: 1 });
      await expect(idle.query("COMMIT")).rejects.toThrow(ENDED);
      expect(await count("shop.users")).toBe(2);
    } finally {
      await place.admin(`DROP OWNED BY ${user}; DROP ROLE ${user}`);
    }
  });

  test.skipIf(behind)("ends those with a label, which a task's sessions have", async () => {
    const label = `label-${randomBytes(4).toString("hex")}`;
    await filled("shop.labelled");
    const busy = await locking("shop.labelled", label);
    await filled("shop.unlabelled");
    const other = await locking("shop.unlabelled", "another");
    const sleeping = busy.query("SELECT pg_sleep(30)").then(
      () => "slept on",
      (error: unknown) => String(error),
    );
    const ended = async () => (await serially(killOpenSessions({ label }))).rows;
    // On Redshift a label is that of a statement at work, which begins in a moment.
    await expect.poll(ended, { timeout: 10_000 }).toBe(1);
    expect(await sleeping).toMatch(ENDED);
    await other.query("ROLLBACK");
  });
});
