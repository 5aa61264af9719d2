/**
 * What a request says about its own signature, in the Authorization header or in a presigned URL,
 * before anything of it is verified. Other schemes (Signature Version 2, 4A, anonymous, session
 * tokens) are refused.
 */
import { S3Error } from "./error.ts";
import type { QueryPair } from "./uri.ts";

const ALGORITHM = "AWS4-HMAC-SHA256";
const LONGEST_EXPIRY_SECONDS = 604_800;

export interface SignatureClaim {
  readonly accessKeyId: string;
  /** `20260102/us-east-1/s3/aws4_request` */
  readonly scope: string;
  readonly scopeDate: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `20260102T030405Z`, as sent. */
  readonly timestamp: string;
  readonly signedAt: number;
  /** The hash of the body, or what stands for it. */
  readonly payload: string;
  /** Seconds a presigned URL lives; undefined if the header carries the signature. */
  readonly expiresSeconds?: number;
}

interface RequestParts {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly query: readonly QueryPair[];
}

/** Reads the claim from the header or the query. */
export function readSignatureClaim({ headers, query }: RequestParts): SignatureClaim {
  const presigned = query.some(([name]) => name === "X-Amz-Algorithm");
  if (headers["authorization"] !== undefined && presigned) {
    throw new S3Error("InvalidArgument", "Only one auth mechanism allowed.");
  }
  if (headers["authorization"] !== undefined)
    return claimOfHeader(headers["authorization"], headers);
  if (presigned) return claimOfQuery(new Map(query), headers);
  throw new S3Error("AccessDenied", "Anonymous requests are not allowed: sign the request.");
}

function claimOfHeader(
  authorization: string,
  headers: Readonly<Record<string, string | undefined>>,
): SignatureClaim {
  const fields = new Map(
    authorization
      .slice(ALGORITHM.length)
      .split(",")
      .map((field): QueryPair => {
        const [name = "", ...value] = field.trim().split("=");
        return [name, value.join("=")];
      }),
  );
  checkScheme(authorization.split(" ")[0]);
  checkToken(headers["x-amz-security-token"]);
  const payload = headers["x-amz-content-sha256"];
  if (payload === undefined) {
    throw new S3Error(
      "InvalidRequest",
      "Missing required header for this request: x-amz-content-sha256",
    );
  }
  return compose("AuthorizationHeaderMalformed", {
    credential: fields.get("Credential"),
    signedHeaders: fields.get("SignedHeaders"),
    signature: fields.get("Signature"),
    timestamp: headers["x-amz-date"],
    payload,
  });
}

function claimOfQuery(
  query: ReadonlyMap<string, string>,
  headers: Readonly<Record<string, string | undefined>>,
): SignatureClaim {
  checkScheme(query.get("X-Amz-Algorithm"));
  checkToken(query.get("X-Amz-Security-Token"));
  const expiresSeconds = Number(query.get("X-Amz-Expires") ?? Number.NaN);
  if (!(expiresSeconds >= 1 && expiresSeconds <= LONGEST_EXPIRY_SECONDS)) {
    throw new S3Error(
      "AuthorizationQueryParametersError",
      `X-Amz-Expires must be between 1 and ${LONGEST_EXPIRY_SECONDS} seconds`,
    );
  }
  const claim = compose("AuthorizationQueryParametersError", {
    credential: query.get("X-Amz-Credential"),
    signedHeaders: query.get("X-Amz-SignedHeaders"),
    signature: query.get("X-Amz-Signature"),
    timestamp: query.get("X-Amz-Date"),
    payload:
      query.get("X-Amz-Content-Sha256") ?? headers["x-amz-content-sha256"] ?? "UNSIGNED-PAYLOAD",
  });
  return { ...claim, expiresSeconds };
}

function compose(
  code: "AuthorizationHeaderMalformed" | "AuthorizationQueryParametersError",
  fields: {
    readonly credential: string | undefined;
    readonly signedHeaders: string | undefined;
    readonly signature: string | undefined;
    readonly timestamp: string | undefined;
    readonly payload: string;
  },
): SignatureClaim {
  const { signedHeaders, signature, timestamp = "", payload } = fields;
  const time = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(timestamp);
  if (time === null) {
    throw new S3Error("AccessDenied", "AWS authentication requires a valid x-amz-date");
  }
  const [accessKeyId, scopeDate, region, service, terminator, ...rest] =
    fields.credential?.split("/") ?? [];
  if (
    accessKeyId === undefined ||
    scopeDate === undefined ||
    region === undefined ||
    service === undefined ||
    terminator !== "aws4_request" ||
    rest.length > 0 ||
    signedHeaders === undefined ||
    signature === undefined
  ) {
    throw new S3Error(code, "Credential, SignedHeaders or Signature is missing or malformed.");
  }
  const [year, month, day, hour, minute, second] = time.slice(1);
  return {
    accessKeyId,
    scope: `${scopeDate}/${region}/${service}/${terminator}`,
    scopeDate,
    region,
    service,
    signedHeaders: signedHeaders.split(";"),
    signature,
    timestamp,
    signedAt: Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`),
    payload,
  };
}

function checkScheme(scheme: string | undefined): void {
  if (scheme === ALGORITHM) return;
  throw new S3Error(
    "InvalidRequest",
    `The authorization mechanism you have provided is not supported. Please use ${ALGORITHM}.`,
  );
}

function checkToken(token: string | undefined): void {
  if (token === undefined) return;
  throw new S3Error("InvalidToken", "This server knows one pair of keys and no session tokens.");
}
