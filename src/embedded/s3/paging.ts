/**
 * What the list operations share on the wire: limits, continuation tokens and the URL encoding
 * of keys.
 */
import { S3Error } from "./error.ts";
import { encodeKey } from "./uri.ts";

const MOST_ITEMS = 1000;

/** A limit parameter: 1000 unless less is asked for. */
export function pageLimit(query: ReadonlyMap<string, string>, name: string): number {
  const text = query.get(name) ?? "";
  if (text === "") return MOST_ITEMS;
  if (/^\d{1,9}$/.test(text)) return Math.min(Number(text), MOST_ITEMS);
  throw new S3Error("InvalidArgument", `Argument ${name} must be an integer from 0: ${text}`);
}

/** How keys are written: as they are, or percent-encoded if the client asks for it. */
export function keyEncoding(query: ReadonlyMap<string, string>): {
  readonly type: "url" | undefined;
  readonly encode: (key: string) => string;
} {
  const type = query.get("encoding-type");
  if (type === undefined) return { type, encode: (key) => key };
  if (type === "url") return { type, encode: encodeKey };
  throw new S3Error("InvalidArgument", `Invalid Encoding Method specified: ${type}`);
}

export const writeToken = (key: string): string => Buffer.from(key).toString("base64url");

/** The key of a continuation token. */
export function readToken(token: string): string {
  const key = Buffer.from(token, "base64url").toString();
  if (key !== "" && writeToken(key) === token) return key;
  throw new S3Error("InvalidArgument", "The continuation token provided is incorrect");
}
