/**
 * The table of the data benches: an ordinary one of a shop. Numbers, timestamps and short texts, a note
 * with quotes, line breaks and NULLs, a jsonb; as CSV it compresses to a third.
 */
import type { Services } from "./services.ts";

/** Measured on 100,000 rows. */
const CSV_BYTES_A_ROW = 257;

const COLUMNS = `
  n::bigint AS id,
  md5((n + 7)::text)::uuid AS session_id,
  (hashint8(n) & 1048575) AS customer_id,
  'SKU-' || lpad((abs(hashint8(n + 1)) % 99991)::text, 6, '0') AS sku,
  (ARRAY['open','paid','packed','shipped','delivered','returned'])[1 + (n % 6)] AS status,
  (1 + n % 9)::smallint AS quantity,
  ((abs(hashint8(n + 2)) % 10000000)::numeric / 100)::numeric(12,2) AS price,
  ((abs(hashint8(n + 3)) % 2500)::numeric / 10000)::numeric(6,4) AS tax_rate,
  (n % 3 = 0) AS gift,
  timestamptz '2024-01-01 00:00:00+00' + n * interval '7.013 seconds' AS ordered_at,
  CASE WHEN n % 4 <> 0 THEN date '2024-01-02' + (n / 12000)::int END AS shipped_on,
  'customer.' || (hashint8(n) & 1048575) || '@example.com' AS email,
  CASE n % 7 WHEN 0 THEN NULL WHEN 1 THEN ''
    WHEN 2 THEN E'leave at the door,\\nring "twice", grüße 你好'
    ELSE 'note ' || md5(n::text) END AS note,
  jsonb_build_object('channel', (ARRAY['web','app','shop'])[1 + (n % 3)], 'ref', abs(hashint8(n + 4)),
    'tags', jsonb_build_array('a' || n % 17, 'b' || n % 23)) AS payload`;

/** Creates `orders` with about `megabytes` of CSV; gives its rows. */
export async function createOrders(services: Services, megabytes: number): Promise<number> {
  const rows = Math.ceil((megabytes * 1e6) / CSV_BYTES_A_ROW);
  await services.sql(
    `CREATE UNLOGGED TABLE orders AS SELECT ${COLUMNS} FROM generate_series(1, ${rows}) AS n`,
  );
  await services.sql("VACUUM ANALYZE orders");
  return rows;
}
