/**
 * The table of the data benches: an ordinary one of a shop. Numbers, a timestamp and short texts, a note
 * with quotes, line breaks and NULLs, a jsonb; as CSV it compresses to a third. The costly one has types in
 * it that a server prints slowly: a uuid, a date and an array in the jsonb.
 */
import type { Services } from "./services.ts";

const ORDINARY = {
  /** Measured on 100,000 rows. */
  csvBytesARow: 240,
  session: "md5((n + 7)::text)::varchar(32) AS session_id",
  shipped: "CASE WHEN n % 4 <> 0 THEN (1 + n % 12)::int END AS shipped_after_days",
  payload: "'campaign', 'c' || n % 17",
};

const COSTLY: typeof ORDINARY = {
  csvBytesARow: 257,
  session: "md5((n + 7)::text)::uuid AS session_id",
  shipped: "CASE WHEN n % 4 <> 0 THEN date '2024-01-02' + (n / 12000)::int END AS shipped_on",
  payload: "'tags', jsonb_build_array('a' || n % 17, 'b' || n % 23)",
};

const columnsOf = ({ session, shipped, payload }: typeof ORDINARY) => `
  n::bigint AS id,
  ${session},
  (hashint8(n) & 1048575) AS customer_id,
  'SKU-' || lpad((abs(hashint8(n + 1)) % 99991)::text, 6, '0') AS sku,
  (ARRAY['open','paid','packed','shipped','delivered','returned'])[1 + (n % 6)] AS status,
  (1 + n % 9)::smallint AS quantity,
  ((abs(hashint8(n + 2)) % 10000000)::numeric / 100)::numeric(12,2) AS price,
  ((abs(hashint8(n + 3)) % 2500)::numeric / 10000)::numeric(6,4) AS tax_rate,
  (n % 3 = 0) AS gift,
  timestamptz '2024-01-01 00:00:00+00' + n * interval '7.013 seconds' AS ordered_at,
  ${shipped},
  'customer.' || (hashint8(n) & 1048575) || '@example.com' AS email,
  CASE n % 7 WHEN 0 THEN NULL WHEN 1 THEN ''
    WHEN 2 THEN E'leave at the door,\\nring "twice", grüße 你好'
    ELSE 'note ' || md5(n::text) END AS note,
  jsonb_build_object('channel', (ARRAY['web','app','shop'])[1 + (n % 3)], 'ref', abs(hashint8(n + 4)),
    ${payload}) AS payload`;

export interface OrdersOptions {
  readonly megabytes: number;
  readonly costly?: boolean;
}

/** Creates `orders` with about `megabytes` of CSV; gives its rows. */
export async function createOrders(
  services: Services,
  { megabytes, costly = false }: OrdersOptions,
): Promise<number> {
  const table = costly ? COSTLY : ORDINARY;
  const rows = Math.ceil((megabytes * 1e6) / table.csvBytesARow);
  await services.sql(
    `CREATE UNLOGGED TABLE orders AS SELECT ${columnsOf(table)} FROM generate_series(1, ${rows}) AS n`,
  );
  await services.sql("VACUUM ANALYZE orders");
  return rows;
}
