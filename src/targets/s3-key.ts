/**
 * Which keys and prefixes are taken. They are relative to the bucket, or to the prefix of it that the
 * project has, and end up in manifests and in SQL (Redshift's COPY): no quotes, backslashes or odd
 * segments.
 */
import { UsageError } from "../core/errors.ts";

const MAX_BYTES = 800;

export const KEY_FORM = 'a key like "exports/orders.csv.gz"';
export const PREFIX_FORM = 'a prefix like "dumps/orders/2026-11-21/", ending with a slash';
const RULES = 'relative to the bucket, without empty segments, "..", quotes or backslashes';

/** Whether a text names one object. */
export function isKey(text: string): boolean {
  return !text.endsWith("/") && isPrefix(`${text}/`);
}

/** Whether a text is a prefix: some folders, never the whole bucket. */
export function isPrefix(text: string): boolean {
  const segments = text.split("/").slice(0, -1);
  return (
    text.endsWith("/") &&
    Buffer.byteLength(text) <= MAX_BYTES &&
    !/["'`\\\p{Cc}\p{Cs}]/u.test(text) &&
    segments.every((segment) => segment !== "" && segment !== "." && segment !== "..")
  );
}

/** Throws a `UsageError` that names who was given it. */
export function checkKey(key: string, owner: string): void {
  if (isKey(key)) return;
  throw new UsageError(
    "KEY_INVALID",
    `${owner}: expected ${KEY_FORM} (${RULES}), got ${JSON.stringify(key)}`,
  );
}

/** Throws a `UsageError` that names who was given it. */
export function checkPrefix(prefix: string, owner: string): void {
  if (isPrefix(prefix)) return;
  throw new UsageError(
    "PREFIX_INVALID",
    `${owner}: expected ${PREFIX_FORM} (${RULES}), got ${JSON.stringify(prefix)}`,
  );
}
