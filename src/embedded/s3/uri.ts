/**
 * The percent encoding of Signature Version 4, strict decoding, and the query of a request as
 * decoded pairs. Bytes that are no UTF-8 are answered InvalidURI, never replaced.
 */
import { S3Error } from "./error.ts";

export type QueryPair = readonly [name: string, value: string];

/** Encodes all but `A-Z a-z 0-9 - . _ ~`, as AWS does. */
export function encodeUri(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Encodes a key but keeps its slashes. */
export function encodeKey(key: string): string {
  return encodeUri(key).replaceAll("%2F", "/");
}

/** Undoes percent encoding. */
export function decodeUri(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error("InvalidURI", `Couldn't parse the specified URI: ${text.slice(0, 200)}`);
  }
}

/** The pairs of a raw query, decoded, in the order sent. */
export function parseQuery(raw: string): readonly QueryPair[] {
  return raw
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const [name = "", ...value] = pair.replaceAll("+", "%20").split("=");
      return [decodeUri(name), decodeUri(value.join("="))];
    });
}
