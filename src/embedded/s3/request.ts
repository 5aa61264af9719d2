/**
 * A request as S3 sees it: bucket, key, query and headers, exact to the byte, with a verified
 * signature. Headers that a presigned URL carries in its query count as headers.
 */
import type { IncomingMessage } from "node:http";
import { S3Error } from "./error.ts";
import { type Credentials, type VerifiedSignature, verifySignature } from "./sigv4.ts";
import { decodeUri, parseQuery, type QueryPair } from "./uri.ts";

const LONGEST_KEY_BYTES = 1024;
const VIRTUAL_HOST = /^(.+)\.localhost(?::\d+)?$/;
/** Parameters of the signature itself, which no operation sees. */
const SIGNATURE_PARAMETERS = new Set(
  [
    "Algorithm",
    "Content-Sha256",
    "Credential",
    "Date",
    "Expires",
    "Signature",
    "SignedHeaders",
  ].map((name) => `X-Amz-${name}`),
);

export type Headers = Readonly<Record<string, string | undefined>>;

export interface S3Request {
  readonly id: string;
  readonly method: string;
  /** The path as sent, for error answers. */
  readonly resource: string;
  /** Empty for requests of the whole service. */
  readonly bucket: string;
  /** Empty for requests of a bucket. */
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: Headers;
  readonly signature: VerifiedSignature;
  readonly region: string;
  readonly incoming: IncomingMessage;
  /** Tells a client that waits for `100 Continue` to send the body. */
  readonly invitesBody: () => void;
}

/** Reads and verifies a request. */
export function readRequest(
  incoming: IncomingMessage,
  credentials: Credentials,
  context: { readonly id: string; readonly now: number; readonly invitesBody: () => void },
): S3Request {
  const { method = "", url = "/" } = incoming;
  const [resource = "/"] = url.split("?", 1);
  const pairs = parseQuery(url.slice(resource.length + 1));
  const headers = singleHeaders(incoming);
  const signature = verifySignature(
    { method, rawPath: resource, query: pairs, headers },
    credentials,
    context.now,
  );
  const { query, hoisted } = splitQuery(pairs, headers);
  return {
    id: context.id,
    method,
    resource,
    ...locate(resource, headers["host"] ?? ""),
    query,
    headers: { ...headers, ...hoisted },
    signature,
    region: credentials.region,
    incoming,
    invitesBody: context.invitesBody,
  };
}

/** Node joins what may repeat; only `set-cookie`, which S3 does not know, stays a list. */
function singleHeaders(incoming: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (typeof value === "string") headers[name] = value;
  }
  return headers;
}

function splitQuery(
  pairs: readonly QueryPair[],
  headers: Headers,
): { query: Map<string, string>; hoisted: Record<string, string> } {
  const query = new Map<string, string>();
  const hoisted: Record<string, string> = {};
  for (const [name, value] of pairs) {
    const lower = name.toLowerCase();
    if (SIGNATURE_PARAMETERS.has(name)) continue;
    if (query.has(name) || lower in hoisted || (lower.startsWith("x-amz-") && lower in headers)) {
      throw new S3Error("InvalidArgument", `${name} is given twice.`);
    }
    if (lower.startsWith("x-amz-")) hoisted[lower] = value;
    else query.set(name, value);
  }
  return { query, hoisted };
}

function locate(resource: string, host: string): { bucket: string; key: string } {
  const virtual = VIRTUAL_HOST.exec(host)?.[1];
  const slash = resource.indexOf("/", 1);
  const rawKey = slash === -1 ? "" : resource.slice(slash + 1);
  const key = decodeUri(virtual === undefined ? rawKey : resource.slice(1));
  if (Buffer.byteLength(key) > LONGEST_KEY_BYTES) {
    throw new S3Error("KeyTooLongError", "Your key is too long");
  }
  const bucket = virtual ?? decodeUri(resource.slice(1, slash === -1 ? undefined : slash));
  return { bucket, key };
}
