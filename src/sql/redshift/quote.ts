/** How Redshift quotes. Unlike Postgres's, its literals process backslashes. */
import { quoting } from "../quoting.ts";

export const { quoteIdentifier, quoteTable, quoteLiteral, quoteColumns } = quoting({
  server: "Redshift",
  maxNameBytes: 127,
  backslashEscapes: true,
});
