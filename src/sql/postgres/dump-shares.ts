/**
 * How several sessions share the rows of one dump: by ranges of a table's pages, or by ranges of a
 * column's values. Each row is in exactly one share. Pure text; the figures come from the catalog.
 */
import { quoteIdentifier, quoteLiteral } from "./quote.ts";

/** Rows of the relation, or of one partition of it. */
export interface Share {
  /** A partition in place of the table, as SQL. */
  readonly from?: string;
  /** A condition, as SQL; without one, all rows. */
  readonly where?: string;
}

/** A table without partitions, or one partition. */
export interface Heap {
  /** Its name as SQL, when it is a partition. */
  readonly from?: string;
  /** Pages at the time of the snapshot; undefined when rows have no place in pages (foreign tables). */
  readonly pages: number | undefined;
}

/**
 * More shares than sessions, so that none waits long for the last one: pages may be full or nearly
 * empty.
 */
const SHARES_A_SESSION = 4;

/** `Tid Range Scan` reads just the pages of each range; before Postgres 14 each would read them all. */
export function sharePages(heaps: readonly Heap[], sessions: number): readonly Share[] {
  const all = heaps.reduce((sum, { pages = 0 }) => sum + pages, 0);
  const size = Math.max(1, Math.ceil(all / (sessions * SHARES_A_SESSION)));
  return heaps.flatMap(({ from, pages = 0 }) => {
    const starts = Array.from({ length: Math.max(1, Math.ceil(pages / size)) }, (_, n) => n * size);
    return shareRanges(
      "ctid",
      starts.slice(1).map((page) => `(${page},0)`),
    ).map((share) => ({
      ...(from === undefined ? {} : { from }),
      ...share,
    }));
  });
}

/** By the values of a column, whose NULLs are in the first share. */
export function shareValues(column: string, bounds: readonly string[]): readonly Share[] {
  const name = quoteIdentifier(column);
  const distinct = bounds.filter((bound, index) => bound !== bounds[index - 1]);
  const [first, ...others] = shareRanges(name, distinct);
  if (first?.where === undefined) return [{}];
  return [{ where: `(${first.where} OR ${name} IS NULL)` }, ...others];
}

/** Half-open ranges between the bounds; the first and the last are open on their other side. */
function shareRanges(name: string, bounds: readonly string[]): Share[] {
  return [undefined, ...bounds].map((from, index) => {
    const before = bounds[index];
    const where = [
      ...(from === undefined ? [] : [`${name} >= ${quoteLiteral(from)}`]),
      ...(before === undefined ? [] : [`${name} < ${quoteLiteral(before)}`]),
    ].join(" AND ");
    return where === "" ? {} : { where };
  });
}

const WHOLE_NUMBER = /^(smallint|integer|bigint)$/;
const MOMENT = /^(date|timestamp\b.*)$/;

/**
 * Asks for the values that cut a column's range into equal parts; undefined for a type whose values
 * cannot be counted through. `from` is what is dumped, as SQL.
 */
export function selectBounds(
  from: string,
  column: { readonly name: string; readonly pgType: string },
  parts: number,
): string | undefined {
  const name = quoteIdentifier(column.name);
  const [range, cut] = WHOLE_NUMBER.test(column.pgType)
    ? [
        `min(${name})::numeric AS low, max(${name})::numeric AS high`,
        `trunc(low + (high - low) * part / ${parts})::text`,
      ]
    : MOMENT.test(column.pgType)
      ? [
          `min(${name}) FILTER (WHERE isfinite(${name})) AS low, max(${name}) FILTER (WHERE isfinite(${name})) AS high`,
          `(low + (high - low) * part / ${parts})::text`,
        ]
      : [];
  if (range === undefined || cut === undefined) return undefined;
  return `SELECT ${cut} AS bound FROM (SELECT ${range} FROM ${from}) AS range, generate_series(1, ${parts - 1}) AS part WHERE low IS NOT NULL ORDER BY part`;
}
