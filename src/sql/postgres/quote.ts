/** How Postgres quotes. Literals need `standard_conforming_strings`, on since Postgres 9.1. */
import { quoting } from "../quoting.ts";

export const { quoteIdentifier, quoteTable, quoteLiteral, quoteColumns } = quoting({
  server: "Postgres",
  maxNameBytes: 63,
  backslashEscapes: false,
});
