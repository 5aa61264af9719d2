/**
 * Makes the production database of the sample shop: six tables with the rows of a week, always the same
 * for a date. It touches the schema `shop` only, and refuses one that it did not make.
 */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Client } from "pg";
import { from as copyFrom } from "pg-copy-streams";
import { type Secret, type Temporal, UsageError } from "sluice";
import { customerRows, productRows } from "./seed/catalog-rows.ts";
import { copyText, type Row } from "./seed/copy-text.ts";
import { eventsOf, salesOf } from "./seed/day-rows.ts";
import { CREATE_KEYS, CREATE_SHOP, TABLES, VERSION } from "./seed/schema.ts";

const DAYS = 7;

export interface SeedOptions {
  readonly sourceUrl: string | Secret;
  /** The last day of the week, usually yesterday. No events happened two days before it. */
  readonly date: Temporal.PlainDate;
}

export interface Seeded {
  readonly tables: number;
  readonly rows: number;
  /** False when the shop was there already, for the same date. */
  readonly seeded: boolean;
}

/** Does nothing for the date that is there; another date replaces all rows in one transaction. */
export async function seedShop({ sourceUrl, date }: SeedOptions): Promise<Seeded> {
  const connectionString = typeof sourceUrl === "string" ? sourceUrl : sourceUrl.reveal();
  const client = new Client({ connectionString, application_name: "sluice seed" });
  await client.connect();
  try {
    await client.query("BEGIN");
    // Two that seed at once would both find nothing.
    await client.query("SELECT pg_advisory_xact_lock(hashtext('sluice seed'))");
    const known = await seededRows(client, date);
    const rows = known ?? (await fillShop(client, date));
    await client.query("COMMIT");
    return { tables: TABLES.length, rows, seeded: known === undefined };
  } finally {
    // Ends an open transaction too.
    await client.end();
  }
}

/** How many rows the shop has for this date; undefined when it has to be made. */
async function seededRows(client: Client, date: Temporal.PlainDate): Promise<number | undefined> {
  const { rows: found } = await client.query<{ ours: boolean }>(
    "SELECT to_regclass('shop.seeded') IS NOT NULL AS ours FROM pg_namespace WHERE nspname = 'shop'",
  );
  if (found[0] === undefined) return undefined;
  if (!found[0].ours) {
    throw new UsageError(
      "SHOP_NOT_OURS",
      "the source database has a schema named shop that the sample did not make: give another database as SOURCE_URL",
    );
  }
  const { rows } = await client.query<{ rows: number }>(
    "SELECT rows FROM shop.seeded WHERE date = $1 AND version = $2",
    [date.toString(), VERSION],
  );
  return rows[0]?.rows;
}

async function fillShop(client: Client, date: Temporal.PlainDate): Promise<number> {
  await client.query("DROP SCHEMA IF EXISTS shop CASCADE");
  await client.query(CREATE_SHOP);
  const rows = rowsOfWeek(date);
  let count = 0;
  for (const table of TABLES) {
    const copy = client.query(copyFrom(`COPY shop.${table} FROM STDIN`));
    await pipeline(Readable.from(copyText(rows[table])), copy);
    count += copy.rowCount;
  }
  await client.query(CREATE_KEYS);
  await client.query("INSERT INTO shop.seeded VALUES ($1, $2, $3)", [
    date.toString(),
    VERSION,
    count,
  ]);
  return count;
}

function rowsOfWeek(
  date: Temporal.PlainDate,
): Readonly<Record<(typeof TABLES)[number], Iterable<Row>>> {
  const week = Array.from({ length: DAYS }, (_, index) =>
    date.subtract({ days: DAYS - 1 - index }),
  );
  const sales = week.map(salesOf);
  const silent = date.subtract({ days: 2 });
  return {
    customers: customerRows(),
    products: productRows(),
    orders: sales.flatMap(({ orders }) => orders),
    order_items: sales.flatMap(({ order_items }) => order_items),
    payments: sales.flatMap(({ payments }) => payments),
    events: week.filter((day) => !day.equals(silent)).flatMap((day) => [...eventsOf(day)]),
  };
}
