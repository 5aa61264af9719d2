/** How Redshift proves to S3 who it is: a role of its own, rarely keys. A clause of COPY and UNLOAD. */
import { UsageError } from "../../core/errors.ts";
import { Secret } from "../../core/secret.ts";
import { quoteLiteral } from "./quote.ts";

export type Authorization =
  /** The cluster's default role, or roles by ARN, each assumed by the one before. */
  | { readonly iamRole: "default" | readonly string[] }
  | {
      readonly accessKeyId: string;
      readonly secretAccessKey: Secret;
      readonly sessionToken?: Secret | undefined;
    };

const ROLE_ARN = /^arn:aws[a-z-]*:iam::\d+:role\/[\w+=,.@/-]+$/;

/** `default`, or ARNs separated by commas. */
export function parseIamRole(text: string): Authorization {
  if (text === "default") return { iamRole: "default" };
  const arns = text.split(",");
  const wrong = arns.find((arn) => !ROLE_ARN.test(arn));
  if (wrong === undefined) return { iamRole: arns };
  throw new UsageError(
    "IAM_ROLE_INVALID",
    `iam_role: expected "default" or ARNs like arn:aws:iam::123456789012:role/loader, separated by commas, got ${JSON.stringify(wrong)}`,
  );
}

export function authorizationClause(authorization: Authorization): string {
  if ("iamRole" in authorization) {
    const { iamRole } = authorization;
    return `IAM_ROLE ${iamRole === "default" ? "default" : quoteLiteral(iamRole.join(","))}`;
  }
  const { accessKeyId, secretAccessKey, sessionToken } = authorization;
  return [
    `ACCESS_KEY_ID ${quoteLiteral(accessKeyId)}`,
    `SECRET_ACCESS_KEY ${quoteLiteral(secretAccessKey.reveal())}`,
    ...(sessionToken === undefined ? [] : [`SESSION_TOKEN ${quoteLiteral(sessionToken.reveal())}`]),
  ].join(" ");
}

/** The same, for people: without what is secret. */
export function masked(authorization: Authorization): Authorization {
  if ("iamRole" in authorization) return authorization;
  const hidden = new Secret("***");
  const { accessKeyId, sessionToken } = authorization;
  return { accessKeyId, secretAccessKey: hidden, sessionToken: sessionToken && hidden };
}
