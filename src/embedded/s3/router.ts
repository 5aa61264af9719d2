/**
 * Finds the operation of a request and refuses what the operation does not understand: a query
 * parameter, an `x-amz-*` header or a condition that would otherwise be ignored in silence.
 */
import { CHECKSUM_HEADERS } from "./checksums.ts";
import { READ_CONDITIONS } from "./conditions.ts";
import { COPY_SOURCE } from "./copy-source.ts";
import { S3Error } from "./error.ts";
import { OPERATIONS, type Operation } from "./operations.ts";
import type { S3Request } from "./request.ts";

/** Names the operation for logs; it changes nothing. */
const HARMLESS_QUERY = "x-id";
/**
 * Headers of every request: the signature's own, what SDKs say about themselves, and the checksum
 * of the request's body, which SDKs also send for the empty body of a GET.
 */
const HARMLESS_HEADERS = [
  "x-amz-content-sha256",
  "x-amz-date",
  "x-amz-user-agent",
  "x-amz-sdk-checksum-algorithm",
  ...CHECKSUM_HEADERS,
];
/** Standard headers that change what a request means. */
const MEANINGFUL = new Set([...READ_CONDITIONS, "range", "if-range"]);

/** The operation that a request asks for. */
export function route(request: S3Request): Operation {
  const parameters = [...request.query.keys()].filter((name) => name !== HARMLESS_QUERY);
  const candidates = OPERATIONS.filter(
    ({ on, method }) => on === levelOf(request) && method === request.method,
  );
  if (candidates.length === 0 && parameters.length === 0) {
    throw new S3Error("MethodNotAllowed", "The specified method is not allowed on this resource.");
  }
  const copies = request.headers[COPY_SOURCE] !== undefined;
  const operation = candidates.find((candidate) => understands(candidate, parameters, copies));
  if (operation === undefined) {
    const asked = parameters.join(", ") || COPY_SOURCE;
    throw notImplemented(`${request.method} of a ${levelOf(request)} with ${asked}`);
  }
  checkHeaders(operation, Object.keys(request.headers));
  return operation;
}

function levelOf({ bucket, key }: S3Request): Operation["on"] {
  if (bucket === "") return "service";
  return key === "" ? "bucket" : "object";
}

function understands(
  { requires = [], query = [], copies = false }: Operation,
  parameters: readonly string[],
  requestCopies: boolean,
): boolean {
  return (
    copies === requestCopies &&
    requires.every((name) => parameters.includes(name)) &&
    parameters.every((name) => requires.includes(name) || query.includes(name))
  );
}

function checkHeaders(
  { name: operation, headers = [] }: Operation,
  given: readonly string[],
): void {
  const unknown = given.find(
    (name) =>
      (name.startsWith("x-amz-") || MEANINGFUL.has(name)) &&
      !HARMLESS_HEADERS.includes(name) &&
      !headers.some((known) => matches(known, name)),
  );
  if (unknown !== undefined) throw notImplemented(`${operation} with the header ${unknown}`);
}

function matches(known: string, name: string): boolean {
  return known.endsWith("*") ? name.startsWith(known.slice(0, -1)) : known === name;
}

function notImplemented(what: string): S3Error {
  return new S3Error(
    "NotImplemented",
    `${what} is not implemented by this development server, and it ignores nothing.`,
  );
}
