/** The one S3 client of a process. */
import { S3Client } from "@aws-sdk/client-s3";
import { UsageError } from "../../core/errors.ts";
import { Secret } from "../../core/secret.ts";

export interface S3Settings {
  readonly bucket: string;
  readonly region: string;
  /** Everything is kept under it: `team/production`. */
  readonly prefix?: string | undefined;
  /** An S3 other than Amazon's; buckets are then addressed by path. */
  readonly endpoint?: string | undefined;
  /** Without keys, the SDK finds a role, a profile or the environment. */
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | Secret | undefined;
}

/**
 * One retry layer, the SDK's: a part that fails is sent again, not the whole dump. Bodies are proven
 * by our own SHA-256, so the checksums of answers are not computed a second time.
 */
export function createS3Client(settings: S3Settings): S3Client {
  const { endpoint, region, accessKeyId, secretAccessKey } = settings;
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    throw new UsageError(
      "S3_SETTINGS_INVALID",
      "S3: give both the access key id and its secret, or neither",
    );
  }
  const secret = secretAccessKey instanceof Secret ? secretAccessKey.reveal() : secretAccessKey;
  return new S3Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(accessKeyId === undefined || secret === undefined
      ? {}
      : { credentials: async () => ({ accessKeyId, secretAccessKey: secret }) }),
    retryMode: "adaptive",
    maxAttempts: 4,
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: { connectionTimeout: 5_000, socketTimeout: 60_000 },
  });
}
