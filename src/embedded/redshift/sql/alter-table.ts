/** ALTER TABLE: Redshift's forms that mean something on one node. Others are refused by name. */

import { notCarriedOut, SqlError } from "../sql-error.ts";
import { takeColumnType } from "./column-type.ts";
import { parseColumn, type Rewrite } from "./create-table.ts";
import type { Cursor } from "./cursor.ts";
import type { Plan } from "./plan.ts";
import { isWord, quotedName } from "./token.ts";

/** The part of the statement after ALTER. */
export function alterTable(cursor: Cursor, rewrite: Rewrite): Plan {
  if (!cursor.takeWords("TABLE")) throw notCarriedOut(`ALTER ${cursor.peek()?.value ?? ""}`);
  const table = cursor.qualifiedName().map(quotedName).join(".");
  const to = (action: string): Plan => {
    cursor.expectEnd();
    return { kind: "forward", sql: `ALTER TABLE ${table} ${action}` };
  };
  if (cursor.takeWords("APPEND")) {
    return { kind: "alone", sql: refuseAppend, tag: "ALTER TABLE APPEND" };
  }
  if (cursor.takeWords("RENAME", "TO")) return to(`RENAME TO ${quotedName(cursor.name())}`);
  if (cursor.takeWords("RENAME")) {
    cursor.takeWords("COLUMN");
    const from = quotedName(cursor.name());
    cursor.expectWord("TO");
    return to(`RENAME COLUMN ${from} TO ${quotedName(cursor.name())}`);
  }
  if (cursor.takeWords("OWNER", "TO")) return to(`OWNER TO ${quotedName(cursor.name())}`);
  if (cursor.takeWords("DROP")) {
    if (isWord(cursor.peek(), "CONSTRAINT")) throw notCarriedOut("DROP CONSTRAINT");
    cursor.takeWords("COLUMN");
    const column = quotedName(cursor.name());
    const how = cursor.takeOneOf("RESTRICT", "CASCADE") ?? "";
    return to(`DROP COLUMN ${column} ${how}`);
  }
  if (cursor.takeWords("ADD")) {
    if (isWord(cursor.peek(), "CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN")) {
      throw notCarriedOut("ALTER TABLE ADD of a key");
    }
    cursor.takeWords("COLUMN");
    return to(`ADD COLUMN ${parseColumn(cursor, rewrite)}`);
  }
  if (cursor.takeWords("ALTER", "COLUMN")) {
    const column = quotedName(cursor.name());
    cursor.expectWord("TYPE");
    const type = takeColumnType(cursor);
    if (!type.startsWith("varchar")) {
      throw new SqlError("0A000", `ALTER COLUMN TYPE is for VARCHAR only`);
    }
    return to(`ALTER COLUMN ${column} TYPE ${type}`);
  }
  throw notCarriedOut(`ALTER TABLE ${cursor.peek()?.value ?? ""}`);
}

/** Refused in a transaction by Redshift, and outside of one by the stand-in. */
const refuseAppend =
  "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = 'ALTER TABLE APPEND is not carried out by the stand-in for Redshift'; END $$";
