/** S3 for COPY and UNLOAD: whose rights are used, and what goes wrong in Redshift's words. */

import { S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import { messageOf } from "../../core/errors.ts";
import type { Credentials } from "./sql/credentials.ts";
import { internalError, SqlError } from "./sql-error.ts";

/** The S3 that roles lead to. What is absent is left to the AWS SDK: real AWS, its chain of credentials. */
export interface StandInS3 {
  readonly endpoint?: string | undefined;
  readonly region: string;
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
}

/** A client with the rights that the statement names. End it with `destroy`. */
export function s3Client(s3: StandInS3, credentials: Credentials): S3Client {
  const { endpoint, region } = s3;
  const { accessKeyId, secretAccessKey } = credentials.kind === "keys" ? credentials : s3;
  const token = credentials.kind === "keys" ? credentials.sessionToken : undefined;
  return new S3Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    maxAttempts: 3,
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : {
          credentials: {
            accessKeyId,
            secretAccessKey,
            ...(token === undefined ? {} : { sessionToken: token }),
          },
        }),
    requestHandler: { connectionTimeout: 5_000, socketTimeout: 60_000 },
  });
}

const S3_PROBLEM = 8001;
const CONNECTION_PROBLEM = 9001;

/** Gives the error for what an S3 call threw; the stand-in's own errors pass. */
export function s3Error(thrown: unknown, url: string, queryId: string): SqlError {
  if (thrown instanceof SqlError) return thrown;
  if (thrown instanceof S3ServiceException) {
    const { httpStatusCode = 0, requestId = "" } = thrown.$metadata;
    const retry = httpStatusCode >= 500 ? 1 : 0;
    const says = `S3ServiceException:${thrown.message},Status ${httpStatusCode},Error ${thrown.name},Rid ${requestId},CanRetry ${retry} (${url})`;
    return internalError(says, S3_PROBLEM, queryId);
  }
  return internalError(
    `S3CurlException: ${messageOf(thrown)}, CanRetry 1 (${url})`,
    CONNECTION_PROBLEM,
    queryId,
  );
}
