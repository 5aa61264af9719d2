/**
 * Which warehouse the shop has: dumps are written for the one that reads them. It is Redshift, or the
 * stand-in for it that the demo brings up, unless WAREHOUSE_URL names a Postgres.
 */
import { env } from "node:process";

export const DIALECT = env["WAREHOUSE_URL"]?.startsWith("postgres") ? "postgres" : "redshift";
