/**
 * Services that the user runs elsewhere and names in the settings. They are described here and never
 * contacted: who uses them finds out whether they answer.
 */

import { UsageError } from "../core/errors.ts";
import type { Piece } from "./part.ts";

/** What is absent is left to the AWS SDK's own rules: real AWS, its chain of credentials. */
export interface GivenS3 {
  readonly bucket: string;
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
}

export function givenRedis(url: string): Piece {
  return {
    parts: [
      { name: "Redis", address: addressOf("REDIS_URL", url), detail: "REDIS_URL", started: false },
    ],
    variables: { REDIS_URL: url },
  };
}

export function givenDatabase(name: "Source" | "Warehouse", url: string): Piece {
  const variable = name === "Source" ? "SOURCE_URL" : "WAREHOUSE_URL";
  return {
    parts: [{ name, address: addressOf(variable, url), detail: variable, started: false }],
    variables: { [variable]: url },
  };
}

export function givenS3({
  bucket,
  endpoint,
  region,
  accessKeyId,
  secretAccessKey,
}: GivenS3): Piece {
  const place = endpoint === undefined ? "AWS" : addressOf("AWS_ENDPOINT_URL_S3", endpoint);
  return {
    parts: [{ name: "S3", address: `${place}/${bucket}`, detail: "SLUICE_BUCKET", started: false }],
    variables: {
      SLUICE_BUCKET: bucket,
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    },
  };
}

/** Host, port and path only. The text may hold a password, so no error shows it. */
function addressOf(variable: string, text: string): string {
  if (!URL.canParse(text)) {
    throw new UsageError(
      "BAD_URL",
      `${variable} is not a URL: write it like scheme://user@host:port/path, with :password after the user, and special characters percent-encoded`,
    );
  }
  const { host, pathname } = new URL(text);
  return `${host}${pathname === "/" ? "" : pathname}`;
}
