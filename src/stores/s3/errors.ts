/** S3's errors in our words, and whether each is worth a retry. Keys and secrets never appear. */
import { S3ServiceException } from "@aws-sdk/client-s3";
import { messageOf, PermanentError, SluiceError, UnreachableError } from "../../core/errors.ts";

/** Who we are is wrong: no retry helps, and the whole service refuses us. */
const REFUSALS = new Set([
  "InvalidAccessKeyId",
  "SignatureDoesNotMatch",
  "InvalidToken",
  "ExpiredToken",
  "TokenRefreshRequired",
  "AccountProblem",
]);

/** The SDK's names for an answer without a body: that to a HEAD has none, whatever the reason. */
const UNSAID = new Set(["Unknown", "UnknownError", "Forbidden", "403"]);

const CONNECTION_NAMES = /^(TimeoutError|RequestTimeout|NetworkingError|AbortError)$/;
const CONNECTION_CODES =
  /^(ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|EPIPE|ETIMEDOUT)$/;

/** Gives the `SluiceError` for what an S3 call threw. `doing` is a noun: `upload of dumps/a`. */
export function explainS3Error(thrown: unknown, doing: string, bucket: string): Error {
  if (thrown instanceof SluiceError) return thrown;
  const options = { cause: thrown, fields: { bucket } };
  if (thrown instanceof S3ServiceException) {
    const status = thrown.$metadata.httpStatusCode ?? 0;
    const says = `${doing} in bucket ${bucket}: S3 says ${thrown.name} (HTTP ${status})`;
    if (thrown.name === "NoSuchBucket") {
      return new UnreachableError(
        "BUCKET_MISSING",
        `${says}: there is no such bucket. Create it, or correct its name.`,
        options,
      );
    }
    if (REFUSALS.has(thrown.name)) {
      return new UnreachableError(
        "S3_CREDENTIALS_REFUSED",
        `${says}. Check the access key and its secret (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY).`,
        options,
      );
    }
    if (status === 403 && UNSAID.has(thrown.name)) {
      return new UnreachableError(
        "S3_REFUSED",
        `${doing} in bucket ${bucket}: S3 refuses (HTTP 403), and does not say why. Check the access key and its secret (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), and that they have the permission for this.`,
        options,
      );
    }
    if (status === 403) {
      return new UnreachableError(
        "S3_REFUSED",
        `${says}. The credentials are known, but they lack the permission for this.`,
        options,
      );
    }
    const permanent = status >= 400 && status < 500 && ![408, 409, 412, 429].includes(status);
    const Kind = permanent ? PermanentError : SluiceError;
    return new Kind("S3_ERROR", `${says}: ${thrown.message}`, options);
  }
  if (isCredentialsProblem(thrown)) {
    return new UnreachableError(
      "S3_CREDENTIALS_MISSING",
      `${doing} in bucket ${bucket}: no credentials for S3: ${messageOf(thrown)}. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run with a role.`,
      options,
    );
  }
  if (isConnectionProblem(thrown)) {
    return new UnreachableError(
      "S3_UNREACHABLE",
      `${doing} in bucket ${bucket}: S3 cannot be reached, or the connection broke: ${messageOf(thrown)}`,
      options,
    );
  }
  return thrown instanceof Error ? thrown : new SluiceError("UNKNOWN", messageOf(thrown));
}

/** Whether the object, key or upload is simply not there. */
export function isMissing(thrown: unknown): boolean {
  return (
    thrown instanceof S3ServiceException &&
    (["NoSuchKey", "NotFound", "NoSuchUpload"].includes(thrown.name) ||
      (thrown.$metadata.httpStatusCode === 404 && thrown.name !== "NoSuchBucket"))
  );
}

/** Whether a conditional write lost: there is an object already (412), or a rival write (409). */
export function isConflict(thrown: unknown): "exists" | "rival" | undefined {
  if (!(thrown instanceof S3ServiceException)) return undefined;
  if (thrown.$metadata.httpStatusCode === 412) return "exists";
  return thrown.$metadata.httpStatusCode === 409 ? "rival" : undefined;
}

function isCredentialsProblem(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === "CredentialsProviderError";
}

function isConnectionProblem(thrown: unknown): boolean {
  if (thrown instanceof AggregateError) return thrown.errors.some(isConnectionProblem);
  if (!(thrown instanceof Error)) return false;
  const code = "code" in thrown && typeof thrown.code === "string" ? thrown.code : "";
  return CONNECTION_NAMES.test(thrown.name) || CONNECTION_CODES.test(code);
}
