/**
 * Checks the rows of a table: how many there are, NULLs, duplicate keys, and whatever a SELECT of one's
 * own finds. `checkTable` is a step, so a load can be checked before it commits; `CheckTable` is the
 * family around it. All checks are asked, then one error says all that failed, with some of the rows.
 */
import { PermanentError, UsageError } from "../core/errors.ts";
import { p } from "../core/params/p.ts";
import type { Step, Transaction } from "../core/stores.ts";
import { countOf, countsOf, duplicatesOf, nullsIn, type Rows, someOf } from "../sql/checks.ts";
import { type Statements, statementsFor } from "../sql/statements.ts";
import { type S3Dataset, s3Dataset } from "../targets/s3-dataset.ts";
import { complain, cut, type Found } from "./found-rows.ts";
import { sqlFamily } from "./sql-family.ts";

export interface Checks {
  /** Only rows of which this SQL condition is true. */
  readonly where?: string | undefined;
  readonly minRows?: number | undefined;
  readonly maxRows?: number | undefined;
  /** As many rows as this table has (`where` counts there too), or as a dataset's manifest says. */
  readonly sameRowsAs?: string | S3Dataset | undefined;
  /** Columns in which no row is NULL. */
  readonly notNull?: readonly string[] | undefined;
  /** Keys that no two rows share, each a list of columns. NULL counts as a value. */
  readonly unique?: readonly (readonly string[])[] | undefined;
  /** SELECTs that must give no rows: what they find is wrong. */
  readonly noRows?: readonly string[] | undefined;
}

/** What is asked, and what is said of the answer when it is a bad one. */
interface Check {
  readonly sql: string;
  readonly complaint: (found: Found) => string | undefined;
}

/**
 * A step that throws unless every check holds. It writes nothing.
 *
 * ```ts
 * warehouse.atomically(
 *   output,
 *   loadTable(output.table, input),
 *   checkTable(output.table, { minRows: 1, unique: [["id"]], sameRowsAs: input }),
 * );
 * ```
 */
export function checkTable(table: string, checks: Checks): Step {
  const { minRows, maxRows, sameRowsAs, notNull = [], unique = [], noRows = [] } = checks;
  const asked = [minRows, maxRows, sameRowsAs].filter((each) => each !== undefined);
  if (asked.length + notNull.length + unique.length + noRows.length === 0) {
    throw new UsageError(
      "NOTHING_TO_CHECK",
      `a check of ${table} checks nothing: give minRows, maxRows, sameRowsAs, notNull, unique or noRows`,
    );
  }
  if (unique.some((key) => key.length === 0)) {
    throw new UsageError(
      "KEY_EMPTY",
      `a check of ${table}: a unique key needs at least one column`,
    );
  }
  return async (transaction) => {
    const sql = statementsFor(transaction.dialect);
    const complaints: string[] = [];
    for (const check of await checksOf(table, checks, sql)) {
      const complaint = await ask(transaction, check);
      if (complaint !== undefined) complaints.push(complaint);
    }
    if (complaints.length > 0) throw failed(table, checks, complaints);
    return 0;
  };
}

async function ask(transaction: Transaction, check: Check): Promise<string | undefined> {
  const found = await transaction.select(check.sql);
  return found && check.complaint(found);
}

async function checksOf(table: string, checks: Checks, sql: Statements): Promise<Check[]> {
  const { where, notNull = [], unique = [], noRows = [] } = checks;
  const rows: Rows = { table, where };
  return [
    ...(await countChecks(rows, checks, sql)),
    ...notNull.map((column) => ({
      sql: nullsIn(column, rows, sql),
      complaint: (found: Found) => complain(`notNull: "${column}" is NULL`, found),
    })),
    ...unique.map((key) => ({
      sql: duplicatesOf(key, rows, sql),
      complaint: (found: Found) =>
        complain(`unique: (${key.map((name) => `"${name}"`).join(", ")}) is not a key`, found),
    })),
    ...noRows.map((select) => ({
      sql: someOf(select),
      complaint: (found: Found) => complain(`noRows: ${cut(select, 200)} gave rows`, found),
    })),
  ];
}

async function countChecks(rows: Rows, checks: Checks, sql: Statements): Promise<Check[]> {
  const { minRows = 0, maxRows = Number.POSITIVE_INFINITY, sameRowsAs } = checks;
  const limits = (found: number) => {
    if (found < minRows) return `minRows: ${found} rows, at least ${minRows} are expected`;
    return found > maxRows ? `maxRows: ${found} rows, at most ${maxRows} are expected` : undefined;
  };
  const other = typeof sameRowsAs === "object" ? await promised(sameRowsAs) : undefined;
  if (typeof sameRowsAs === "string") {
    const others = { table: sameRowsAs, where: rows.where };
    const complaint = (row: Found) => {
      const [found, wanted] = [numberOf(row, "found"), numberOf(row, "others")];
      if (found === wanted) return limits(found);
      return `sameRowsAs: ${found} rows, but ${sameRowsAs} has ${wanted}`;
    };
    return [{ sql: countsOf(rows, others, sql), complaint }];
  }
  if (other === undefined && checks.minRows === undefined && checks.maxRows === undefined)
    return [];
  const complaint = (row: Found) => {
    const found = numberOf(row, "found");
    if (other === undefined || found === other.rows) return limits(found);
    return `sameRowsAs: ${found} rows, but the manifest of ${other.location} promises ${other.rows}`;
  };
  return [{ sql: countOf(rows, sql), complaint }];
}

async function promised(dataset: S3Dataset) {
  const { dump } = await dataset.manifest();
  return { location: dataset.location, rows: dump.rows };
}

/** Counts come as text where they may be longer than a number. */
function numberOf(rows: Found, column: string): number {
  return Number(rows[0]?.[column]);
}

function failed(table: string, { where }: Checks, complaints: readonly string[]): PermanentError {
  const rows = where === undefined ? "" : ` where ${cut(where, 200)}`;
  return new PermanentError(
    "CHECK_FAILED",
    `${table}${rows}: ${complaints.length === 1 ? "a check" : `${complaints.length} checks`} failed: ${complaints.join("; ")}. Correct the rows where they come from, or the check, then retry.`,
    { fields: { table, failed: complaints.map((complaint) => complaint.split(":", 1)[0]) } },
  );
}

const rowCount = p.int({ min: 0, max: Number.MAX_SAFE_INTEGER });

/**
 * Checks `table`, and leaves a marker when every check holds. `sameRowsAs` is another table, `dataset` the
 * prefix of one in S3. `date` sets days apart; it restricts nothing: that is what `where` is for.
 */
export const CheckTable = sqlFamily({
  name: "CheckTable",
  params: {
    table: p.table(),
    date: p.date(),
    where: p.text().optional(),
    minRows: rowCount.optional(),
    maxRows: rowCount.optional(),
    sameRowsAs: p.table().optional(),
    dataset: p.text().optional(),
    notNull: p.list(p.identifier()).optional(),
    unique: p.list(p.list(p.identifier())).optional(),
    noRows: p.list(p.text()).optional(),
  },
  table: ({ table, sameRowsAs, dataset }) => {
    if (sameRowsAs === undefined || dataset === undefined) return table;
    throw new UsageError(
      "CHECK_AMBIGUOUS",
      `CheckTable of ${table}: give sameRowsAs or dataset, not both: ${JSON.stringify({ sameRowsAs, dataset })}`,
    );
  },
  steps: (context) => {
    const { table, dataset, ...checks } = context.params;
    if (dataset === undefined) return [checkTable(table, checks)];
    const { task, signal } = context;
    // The context, not its stores one by one: a store is opened when it is asked for.
    const sameRowsAs = s3Dataset(dataset).bind({ task, stores: context, signal });
    return [checkTable(table, { ...checks, sameRowsAs })];
  },
});
