/**
 * Passwords that AWS makes for an identity, in the place of one that somebody has to keep: asked for
 * at each connection, by whoever the AWS SDK finds us to be (role, profile, environment).
 */
import type { RedshiftClientConfig } from "@aws-sdk/client-redshift";
import type { RedshiftServerlessClientConfig } from "@aws-sdk/client-redshift-serverless";
import { messageOf, UnreachableError, UsageError } from "../../core/errors.ts";
import { Secret } from "../../core/secret.ts";

interface Wanted {
  readonly user: string;
  readonly database: string;
  readonly region?: string | undefined;
}

const SECONDS = 3600;

/** `GetClusterCredentials`. The user that it makes a password for has `IAM:` before the name. */
export async function clusterPassword(
  { cluster, user, database, region }: Wanted & { readonly cluster: string },
  config: RedshiftClientConfig = {},
): Promise<Secret> {
  const { GetClusterCredentialsCommand, RedshiftClient } = await import("@aws-sdk/client-redshift");
  const client = new RedshiftClient({ ...withRegion(region), ...config });
  const command = new GetClusterCredentialsCommand({
    ClusterIdentifier: cluster,
    DbUser: user.replace(/^IAMA?:/, ""),
    DbName: database,
    DurationSeconds: SECONDS,
  });
  return await fetched(`the cluster ${cluster}`, user, async () => {
    const { DbUser, DbPassword } = await client.send(command);
    client.destroy();
    return { user: DbUser, password: DbPassword };
  });
}

/** `GetCredentials` of Redshift Serverless. AWS chooses the user: `IAM:name` or `IAMR:role`. */
export async function workgroupPassword(
  { workgroup, user, database, region }: Wanted & { readonly workgroup: string },
  config: RedshiftServerlessClientConfig = {},
): Promise<Secret> {
  const { GetCredentialsCommand, RedshiftServerlessClient } = await import(
    "@aws-sdk/client-redshift-serverless"
  );
  const client = new RedshiftServerlessClient({ ...withRegion(region), ...config });
  const command = new GetCredentialsCommand({
    workgroupName: workgroup,
    dbName: database,
    durationSeconds: SECONDS,
  });
  return await fetched(`the workgroup ${workgroup}`, user, async () => {
    const { dbUser, dbPassword } = await client.send(command);
    client.destroy();
    return { user: dbUser, password: dbPassword };
  });
}

async function fetched(
  where: string,
  user: string,
  fetch: () => Promise<{
    readonly user: string | undefined;
    readonly password: string | undefined;
  }>,
): Promise<Secret> {
  let answer: Awaited<ReturnType<typeof fetch>>;
  try {
    answer = await fetch();
  } catch (error) {
    throw new UnreachableError(
      "REDSHIFT_CREDENTIALS",
      `AWS gave no credentials for ${where}: ${messageOf(error)}. Check the name, the region, and that this identity may ask for them.`,
      { cause: error },
    );
  }
  if (answer.password === undefined || answer.user !== user) {
    throw new UsageError(
      "REDSHIFT_USER_DIFFERS",
      `AWS gave credentials for ${where} to the user ${JSON.stringify(answer.user)}: put that one, percent-encoded, into the URL in the place of ${JSON.stringify(user)}`,
    );
  }
  return new Secret(answer.password);
}

function withRegion(region: string | undefined): { readonly region?: string } {
  return region === undefined ? {} : { region };
}
