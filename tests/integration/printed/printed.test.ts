/**
 * What `sluice sql` prints is what a run sends, to the letter, with secrets masked: whole statements of
 * every family that has SQL, in both dialects, read off the wire.
 */
import { readdirSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { Temporal } from "temporal-polyfill";
import { beforeAll, describe, expect, test } from "vitest";
import { maskSecrets } from "../../../src/core/secret.ts";
import { isFamily, requirementsOf, type Task } from "../../../src/core/task.ts";
import { sessionLabel } from "../../../src/stores/postgres/address.ts";
import type { OpenedStores } from "../../../src/stores/open-stores.ts";
import { CopyIntoTableFromS3 } from "../../../src/tasks/copy-into-table-from-s3.ts";
import { RunSql } from "../../../src/tasks/run-sql.ts";
import { proxied } from "../../support/proxied.ts";
import { sentStatements } from "../../support/sent-statements.ts";
import { freshDatabase } from "../../support/services.ts";
import type { TcpProxy } from "../../support/tcp-proxy.ts";
import { administer, attempt, opened, outputsOf } from "../data/data-stores.ts";
import { DIALECTS, localPlace, type Place, printed, runTask } from "../tasks/warehouses.ts";
import { type Case, ROLE, wholeOf } from "./case.ts";
import { DUMPS } from "./dump-cases.ts";
import { LOADS } from "./load-cases.ts";
import { SQL } from "./sql-cases.ts";

const CASES: readonly Case[] = [...LOADS, ...DUMPS, ...SQL];

/** They move objects of the bucket. */
const WITHOUT_SQL = ["S3Copy", "S3Delete", "S3Manifest", "WaitForS3"];

test("every family is here, or has no SQL", async () => {
  const folder = new URL("../../../src/tasks/", import.meta.url);
  const modules = await Promise.all(
    readdirSync(folder).map(
      (name): Promise<Record<string, unknown>> => import(new URL(name, folder).href),
    ),
  );
  const families = modules.flatMap((module) => Object.values(module)).filter(isFamily);
  const withSql = families.filter(({ sql }) => sql !== undefined).map(({ name }) => name);
  const without = families.filter(({ sql }) => sql === undefined).map(({ name }) => name);
  expect(new Set(CASES.map(({ task }) => task.family.name))).toEqual(new Set(withSql));
  expect(without.sort()).toEqual(WITHOUT_SQL);
});

/** Looks at the catalog and at sessions, which printing makes too: they change nothing. */
const LOOKS = [
  /pg_backend_pid\(\) AS pid/,
  /txid_current_snapshot\(\)/,
  /server_version_num/,
  /LIMIT 0$/,
  /format_type\(/,
  /svv_transactions|pg_locks|backend_type = 'client backend'/,
  /'no such task'/,
];

describe.each(DIALECTS)("in %s", (dialect) => {
  let place: Place;
  /** Before the source, and before the warehouse. */
  let proxies: readonly TcpProxy[];
  /** Through the proxies, as a task would. */
  let stores: OpenedStores;

  beforeAll(async () => {
    place = await localPlace(dialect);
    const sourceUrl = await freshDatabase();
    await administer(
      sourceUrl,
      `CREATE SCHEMA shop;
       CREATE TABLE shop."Orders" (id integer, "Note" text, day date);
       INSERT INTO shop."Orders" VALUES (1, 'a', '2026-11-21'), (2, NULL, '2026-11-21')`,
    );
    const source = await proxied(sourceUrl);
    const warehouse = await proxied(String(place.settings.warehouseUrl));
    proxies = [source.proxy, warehouse.proxy];
    const access = dialect === "redshift" ? `?iam_role=${encodeURIComponent(ROLE)}` : "";
    const warehouseUrl = `${warehouse.url}${access}`;
    stores = opened({ ...place.settings, sourceUrl: source.url, warehouseUrl });
    const setUp = RunSql({ sql: "", table: "none", date: Temporal.PlainDate.from("2026-11-01") });
    await stores.warehouse.atomically(
      outputsOf(setUp, stores, { attempt: attempt() }),
      "CREATE SCHEMA shop",
      "CREATE TABLE shop.days (id integer, day date)",
      "CREATE TABLE shop.visits (id integer, page varchar(20))",
      "INSERT INTO shop.visits VALUES (1, 'a'), (2, 'b')",
      "CREATE TABLE notes (note varchar(100), id integer)",
    );
    await stores.s3.put("given/a.csv", "not read");
    await stores.s3.put("given/a.gz", gzipSync("7,2026-11-20\n8,@NULL@\n"));
    await stores.s3.put("json/a.json", '{"id": 9, "day": "2026-11-19"}\n{"id": 10, "other": 1}\n');
  });

  /** What the task's own session sends, without looks. */
  async function sentBy(task: Task, through: OpenedStores): Promise<readonly string[]> {
    const own = attempt();
    const sent = await sentStatements(proxies, sessionLabel(task.id), () =>
      runTask(task, through, own),
    );
    return sent
      .filter((sql) => !LOOKS.some((look) => look.test(sql)))
      .map((sql) => sql.replaceAll(own.id, "<attempt>"));
  }

  /** Bucket and hashes differ from run to run; ids of tasks do not. */
  function withoutNames(sql: string): string {
    return sql
      .replaceAll(stores.s3.bucket, "<bucket>")
      .replaceAll(/(\/|sluice_new_|@NULL-)[0-9a-f]{16}(?![0-9a-f])/g, "$1<hash>");
  }

  const here = CASES.filter(({ sends }) => sends[dialect] !== undefined);
  const named = here.map((each) => {
    const { name, family } = each.task;
    return [`${family.name} ${each.title ?? name.slice(family.name.length, 80)}`, each] as const;
  });

  test.each(named)("%s", async (_, each) => {
    const { task } = each;
    for (const requirement of requirementsOf(task)) await runTask(requirement, stores);
    const statements = await printed(task, stores);
    expect(await sentBy(task, stores)).toEqual(statements);
    expect(statements.map(withoutNames)).toEqual(wholeOf(each, dialect));
  });

  test.runIf(dialect === "redshift")("keys are sent, and never printed", async () => {
    const { s3 } = place.settings;
    const secret = String(s3?.secretAccessKey);
    const access = `access_key_id=${s3?.accessKeyId}&secret_access_key=${secret}&region=eu-west-1`;
    const url = new URL(String(place.settings.warehouseUrl));
    const warehouseUrl = `redshift://postgres:test@127.0.0.1:${proxies[1]?.port}${url.pathname}?${access}`;
    const keyed = opened({ ...place.settings, warehouseUrl });
    const date = Temporal.PlainDate.from("2026-11-23");
    const task = CopyIntoTableFromS3({ table: "shop.days", prefix: "given/", suffix: ".gz", date });
    for (const requirement of requirementsOf(task)) await runTask(requirement, keyed);
    const statements = (await printed(task, keyed)).join("\n");
    const sent = (await sentBy(task, keyed)).join("\n");
    expect(statements).toContain("SECRET_ACCESS_KEY '***'");
    expect(statements).toContain("REGION 'eu-west-1'");
    expect(statements).not.toContain(secret);
    expect(sent).toContain(secret);
    expect(keyed.warehouse.address).not.toContain(secret);
    expect(maskSecrets(sent)).toBe(maskSecrets(statements));
  });
});
