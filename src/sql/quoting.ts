/**
 * The only place where a name or a value becomes SQL text. Each dialect states its rules in its own
 * `quote.ts`; nothing else may put quotes around what it did not write itself.
 */
import { UsageError } from "../core/errors.ts";
import { parseTableName } from "./table-name.ts";

interface QuotingRules {
  /** For messages. */
  readonly server: string;
  /** Longer names are refused: servers cut them with no more than a notice. */
  readonly maxNameBytes: number;
  /** Whether a backslash in a literal means something. */
  readonly backslashEscapes: boolean;
}

export interface Quoting {
  /** `"name"`, with quotes doubled. */
  quoteIdentifier(this: void, name: string): string;
  /** `"shop"."orders"`, from `shop.orders`. */
  quoteTable(this: void, name: string): string;
  /** `'value'`, with quotes doubled, and backslashes where they mean something. */
  quoteLiteral(this: void, value: string): string;
  /** `"a", "b"`. */
  quoteColumns(this: void, columns: readonly { readonly name: string }[]): string;
}

export function quoting({ server, maxNameBytes, backslashEscapes }: QuotingRules): Quoting {
  const quoteIdentifier = (name: string): string => {
    if (name === "" || name.includes("\0") || Buffer.byteLength(name) > maxNameBytes) {
      throw new UsageError(
        "IDENTIFIER_INVALID",
        `${JSON.stringify(name)} cannot be a name in ${server}: names have 1 to ${maxNameBytes} bytes and no NUL`,
      );
    }
    return `"${name.replaceAll('"', '""')}"`;
  };
  return {
    quoteIdentifier,
    quoteTable(name) {
      const { schema, table } = parseTableName(name);
      return schema === undefined
        ? quoteIdentifier(table)
        : `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;
    },
    quoteLiteral(value) {
      if (value.includes("\0")) {
        throw new UsageError("LITERAL_INVALID", `${server} cannot hold a NUL character in text`);
      }
      const doubled = backslashEscapes ? value.replaceAll("\\", "\\\\") : value;
      return `'${doubled.replaceAll("'", "''")}'`;
    },
    quoteColumns: (columns) => columns.map(({ name }) => quoteIdentifier(name)).join(", "),
  };
}
