/** Who reads and writes S3 for a COPY or UNLOAD. Exactly one way must be given; none has a default. */

import { SqlError } from "../sql-error.ts";
import type { Cursor } from "./cursor.ts";

export type Credentials =
  /** The stand-in's own access to S3. The names of roles are checked, their rights are not. */
  | { readonly kind: "role"; readonly roles: readonly string[] }
  | {
      readonly kind: "keys";
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
      readonly sessionToken?: string | undefined;
    };

const ROLE = /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/;

/** Takes credentials if they come next. */
export function takeCredentials(cursor: Cursor): Credentials | undefined {
  const form = cursor.takeOneOf("IAM_ROLE", "CREDENTIALS", "ACCESS_KEY_ID");
  if (form === undefined) return undefined;
  if (form === "ACCESS_KEY_ID") return keys(cursor);
  cursor.takeWords("AS");
  if (form === "CREDENTIALS") return fromText(cursor.string());
  return {
    kind: "role",
    roles: cursor.takeWords("DEFAULT") ? ["default"] : roles(cursor.string()),
  };
}

export function noCredentials(): SqlError {
  return new SqlError("42601", "No credentials provided", {
    hint: "Give one of IAM_ROLE, CREDENTIALS, or ACCESS_KEY_ID with SECRET_ACCESS_KEY.",
  });
}

function keys(cursor: Cursor): Credentials {
  cursor.takeWords("AS");
  const accessKeyId = cursor.string();
  cursor.expectWord("SECRET_ACCESS_KEY");
  cursor.takeWords("AS");
  const secretAccessKey = cursor.string();
  if (!cursor.takeWords("SESSION_TOKEN")) return { kind: "keys", accessKeyId, secretAccessKey };
  cursor.takeWords("AS");
  return { kind: "keys", accessKeyId, secretAccessKey, sessionToken: cursor.string() };
}

/** 'aws_iam_role=…' or 'aws_access_key_id=…;aws_secret_access_key=…[;token=…]' */
function fromText(text: string): Credentials {
  const pairs = new Map(
    text.split(";").map((pair) => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at), pair.slice(at + 1)] as const;
    }),
  );
  const role = pairs.get("aws_iam_role");
  if (role !== undefined && pairs.size === 1) return { kind: "role", roles: roles(role) };
  const accessKeyId = pairs.get("aws_access_key_id");
  const secretAccessKey = pairs.get("aws_secret_access_key");
  const sessionToken = pairs.get("token");
  const expected = sessionToken === undefined ? 2 : 3;
  if (accessKeyId === undefined || secretAccessKey === undefined || pairs.size !== expected) {
    throw new SqlError("42601", "Invalid credentials string");
  }
  return { kind: "keys", accessKeyId, secretAccessKey, sessionToken };
}

function roles(text: string): readonly string[] {
  const chain = text.split(",");
  if (!chain.every((role) => ROLE.test(role))) {
    throw new SqlError("42601", `Invalid IAM role: ${text}`, {
      hint: "Write 'arn:aws:iam::123456789012:role/name', several separated by commas and no space.",
    });
  }
  return chain;
}
