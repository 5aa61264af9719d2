/**
 * Conditional requests. Reads follow RFC 9110's order of precedence; writes know the two forms S3
 * has: create only if absent (`If-None-Match: *`) and replace only this version (`If-Match`).
 * Other forms are answered NotImplemented, as S3 does.
 */
import type { StoredObject } from "./catalog.ts";
import { S3Error } from "./error.ts";
import { quoteEtag } from "./object-headers.ts";
import type { Headers } from "./request.ts";

export const READ_CONDITIONS: readonly string[] = [
  "if-match",
  "if-none-match",
  "if-modified-since",
  "if-unmodified-since",
];
export const WRITE_CONDITIONS: readonly string[] = ["if-match", "if-none-match"];

/** Answers PreconditionFailed or NotModified unless the object may be read. */
export function checkReadConditions(headers: Headers, object: StoredObject): void {
  const match = headers["if-match"];
  const unmodifiedSince = headers["if-unmodified-since"];
  if (match === undefined) {
    if (unmodifiedSince !== undefined && object.modified > parseDate(unmodifiedSince)) {
      throw preconditionFailed("If-Unmodified-Since");
    }
  } else if (!matches(match, object)) throw preconditionFailed("If-Match");

  const noneMatch = headers["if-none-match"];
  const modifiedSince = headers["if-modified-since"];
  const unchanged =
    noneMatch === undefined
      ? modifiedSince !== undefined && object.modified <= parseDate(modifiedSince)
      : matches(noneMatch, object);
  if (unchanged) {
    throw new S3Error("NotModified", "Not Modified", { etag: quoteEtag(object.etag) });
  }
}

/** The `x-amz-copy-source-if-*` conditions: all of them fail with PreconditionFailed. */
export function checkSourceConditions(headers: Headers, source: StoredObject): void {
  const renamed = READ_CONDITIONS.map((name) => [name, headers[`x-amz-copy-source-${name}`]]);
  try {
    checkReadConditions(Object.fromEntries(renamed), source);
  } catch (error) {
    const notModified = error instanceof S3Error && error.code === "NotModified";
    throw notModified ? preconditionFailed("x-amz-copy-source-if") : error;
  }
}

/** A condition on what a write replaces. */
export interface WriteCondition {
  /** Checks before the body is read, so that a lost race costs no upload. */
  before(current: StoredObject | undefined): void;
  /** Checks in the turn of the commit, which decides. */
  atCommit(current: StoredObject | undefined): void;
}

/** The write condition of a request. */
export function writeCondition(headers: Headers): WriteCondition {
  const match = headers["if-match"];
  const noneMatch = headers["if-none-match"];
  if (noneMatch !== undefined && (noneMatch !== "*" || match !== undefined)) throw unknownForm();
  if (match !== undefined && !/^"?[0-9a-f]+(?:-\d+)?"?$/.test(match)) throw unknownForm();
  let existed = false;
  const check = (current: StoredObject | undefined): void => {
    if (noneMatch !== undefined && current !== undefined) throw preconditionFailed("If-None-Match");
    if (match === undefined) return;
    if (current === undefined && existed) throw conflict();
    if (current === undefined) throw new S3Error("NoSuchKey", "The specified key does not exist.");
    if (!matches(match, current)) throw preconditionFailed("If-Match");
  };
  return {
    before(current) {
      check(current);
      existed = current !== undefined;
    },
    atCommit: check,
  };
}

/** `If-Match` of a delete. */
export function checkDeleteCondition(headers: Headers, current: StoredObject | undefined): void {
  const match = headers["if-match"];
  if (match === undefined) return;
  if (current === undefined || !matches(match, current)) throw preconditionFailed("If-Match");
}

function matches(condition: string, object: StoredObject): boolean {
  if (condition.trim() === "*") return true;
  return condition
    .split(",")
    .map((etag) => etag.trim().replace(/^W\//, ""))
    .some((etag) => etag === object.etag || etag === quoteEtag(object.etag));
}

function parseDate(text: string): number {
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return time;
  throw new S3Error("InvalidArgument", `${text} is no HTTP date.`);
}

function preconditionFailed(condition: string): S3Error {
  return new S3Error(
    "PreconditionFailed",
    `At least one of the pre-conditions you specified did not hold: ${condition}`,
  );
}

function conflict(): S3Error {
  return new S3Error(
    "ConditionalRequestConflict",
    "The object was deleted while this conditional request was in progress. Retry it.",
  );
}

function unknownForm(): S3Error {
  return new S3Error(
    "NotImplemented",
    "A conditional write takes either If-None-Match: * or If-Match with one ETag.",
  );
}
