/**
 * Kinds whose value is the text itself: free text, names for SQL, places in S3, one of a choice.
 * They check and never change what they are given. Quoting for SQL is done where SQL is built.
 */
import type { ParamKind } from "./codec.ts";

const MAX_NAME_BYTES = 63;
const MAX_KEY_BYTES = 1024;
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** Control characters, and surrogates without their other half: UTF-8 cannot hold those. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u;

function textKind<T extends string>(
  name: string,
  form: string,
  accepts: (text: string) => text is T,
): ParamKind<T> {
  return {
    name,
    form,
    decode: (text) => (accepts(text) ? text : undefined),
    encode: (value) => (typeof value === "string" && accepts(value) ? value : undefined),
  };
}

export const text = textKind("text", "a string", (_text): _text is string => true);

export const identifier = textKind(
  "identifier",
  `a name of 1 to ${MAX_NAME_BYTES} bytes without dots, quotes, control characters or outer spaces`,
  (text): text is string => !text.includes(".") && isName(text),
);

export const table = textKind(
  "table",
  `name or schema.name, each of 1 to ${MAX_NAME_BYTES} bytes without quotes, control characters or outer spaces`,
  (text): text is string => {
    const parts = text.split(".");
    return parts.length <= 2 && parts.every(isName);
  },
);

export const s3 = textKind(
  "S3 path",
  `s3://bucket/key, without empty, "." or ".." segments and control characters, the key up to ${MAX_KEY_BYTES} bytes`,
  (text): text is string => {
    const [, bucket = "", key = ""] = /^s3:\/\/([^/]*)\/([^]+)$/.exec(text) ?? [];
    if (!BUCKET.test(bucket) || bucket.includes("..")) return false;
    if (UNPRINTABLE.test(key) || Buffer.byteLength(key) > MAX_KEY_BYTES) return false;
    // One slash may end the key: that names a prefix.
    const segments = key.replace(/\/$/, "").split("/");
    return segments.every((segment) => !["", ".", ".."].includes(segment));
  },
);

export function choice<const T extends string>(choices: readonly T[]): ParamKind<T> {
  const known: ReadonlySet<string> = new Set(choices);
  const quoted = [...known].map((text) => JSON.stringify(text)).join(", ");
  return textKind("choice", `one of ${quoted}`, (text): text is T => known.has(text));
}

function isName(text: string): boolean {
  return (
    text !== "" &&
    text.trim() === text &&
    !/["'`]/.test(text) &&
    !UNPRINTABLE.test(text) &&
    Buffer.byteLength(text) <= MAX_NAME_BYTES
  );
}
