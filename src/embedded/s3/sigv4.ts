/**
 * Verifies AWS Signature Version 4 of a request: the key, the clock, the scope, that every header
 * with a meaning is signed, and the signature itself. The body's own hash or chunk signatures are
 * verified where the body is read.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { S3Error } from "./error.ts";
import { readSignatureClaim, type SignatureClaim } from "./signature-claim.ts";
import { decodeUri, encodeUri, type QueryPair } from "./uri.ts";

const CLOCK_SKEW_MS = 15 * 60_000;

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

export interface SignableRequest {
  readonly method: string;
  /** The path exactly as sent. */
  readonly rawPath: string;
  readonly query: readonly QueryPair[];
  readonly headers: Readonly<Record<string, string | undefined>>;
}

export interface VerifiedSignature {
  /** A hex SHA-256 of the body, UNSIGNED-PAYLOAD, or one of the STREAMING- forms. */
  readonly payload: string;
  /** What the signatures of the body's chunks continue from. */
  readonly seed: SigningSeed;
}

export interface SigningSeed {
  readonly key: Buffer;
  readonly timestamp: string;
  readonly scope: string;
  readonly signature: string;
}

/** Verifies the request's signature at the time `now`. */
export function verifySignature(
  request: SignableRequest,
  credentials: Credentials,
  now: number,
): VerifiedSignature {
  const claim = readSignatureClaim(request);
  checkScope(claim, credentials);
  checkTime(claim, now);
  checkSignedHeaders(claim, request);
  const key = signingKey(credentials.secretAccessKey, claim);
  const canonical = sha256Hex(canonicalRequest(request, claim));
  const expected = hmac(
    key,
    ["AWS4-HMAC-SHA256", claim.timestamp, claim.scope, canonical].join("\n"),
  );
  checkEqual(expected.toString("hex"), claim.signature);
  const { timestamp, scope, signature } = claim;
  return { payload: claim.payload, seed: { key, timestamp, scope, signature } };
}

/** Answers SignatureDoesNotMatch unless both are the same, in constant time. */
export function checkEqual(expected: string, given: string): void {
  const a = Buffer.from(expected);
  const b = Buffer.from(given);
  if (a.length === b.length && timingSafeEqual(a, b)) return;
  throw new S3Error(
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. " +
      "Check your key and signing method.",
  );
}

export function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

export function sha256Hex(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function signingKey(secret: string, { scopeDate, region, service }: SignatureClaim): Buffer {
  return [scopeDate, region, service, "aws4_request"].reduce<Buffer>(
    hmac,
    Buffer.from(`AWS4${secret}`),
  );
}

function checkScope(claim: SignatureClaim, { accessKeyId, region }: Credentials): void {
  if (claim.accessKeyId !== accessKeyId) {
    throw new S3Error(
      "InvalidAccessKeyId",
      "The AWS Access Key Id you provided does not exist in our records.",
    );
  }
  if (claim.region !== region || claim.service !== "s3") {
    throw new S3Error(
      "AuthorizationHeaderMalformed",
      `The credential scope is ${claim.scope}; this server is s3 in region '${region}'.`,
    );
  }
  if (claim.scopeDate !== claim.timestamp.slice(0, 8)) {
    throw new S3Error(
      "AuthorizationHeaderMalformed",
      "The scope's date is not that of x-amz-date.",
    );
  }
}

function checkTime({ signedAt, expiresSeconds }: SignatureClaim, now: number): void {
  if (expiresSeconds === undefined) {
    if (Math.abs(now - signedAt) <= CLOCK_SKEW_MS) return;
    throw new S3Error(
      "RequestTimeTooSkewed",
      "The difference between the request time and the current time is too large.",
    );
  }
  if (now > signedAt + expiresSeconds * 1000) {
    throw new S3Error("AccessDenied", "Request has expired");
  }
  if (signedAt > now + CLOCK_SKEW_MS) {
    throw new S3Error("AccessDenied", "Request is not yet valid");
  }
}

/** A header that could be changed on the way must not change what is done. */
function checkSignedHeaders({ signedHeaders }: SignatureClaim, { headers }: SignableRequest): void {
  const unsigned = Object.keys(headers).filter(
    (name) => (name === "host" || name.startsWith("x-amz-")) && !signedHeaders.includes(name),
  );
  if (unsigned.length === 0) return;
  throw new S3Error(
    "AccessDenied",
    `There were headers present in the request which were not signed: ${unsigned.join(", ")}`,
  );
}

function canonicalRequest(request: SignableRequest, claim: SignatureClaim): string {
  const path = request.rawPath
    .split("/")
    .map((segment) => encodeUri(decodeUri(segment)))
    .join("/");
  const query = request.query
    .filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]): QueryPair => [encodeUri(name), encodeUri(value)])
    .sort(byNameThenValue)
    .map((pair) => pair.join("="))
    .join("&");
  const headers = claim.signedHeaders
    .map((name) => `${name}:${(request.headers[name] ?? "").trim().replaceAll(/\s+/g, " ")}\n`)
    .join("");
  return [request.method, path, query, headers, claim.signedHeaders.join(";"), claim.payload].join(
    "\n",
  );
}

function byNameThenValue([nameA, valueA]: QueryPair, [nameB, valueB]: QueryPair): number {
  if (nameA !== nameB) return nameA < nameB ? -1 : 1;
  return valueA < valueB ? -1 : Number(valueA > valueB);
}
