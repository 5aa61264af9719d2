/** Where a Redshift is and who we are there: taken out of one URL that may hold secrets. */
import { inspect } from "node:util";
import { createServer, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, describe, expect, test } from "vitest";
import { RedshiftAddress } from "../../../src/stores/redshift/address.ts";
import { clusterPassword, workgroupPassword } from "../../../src/stores/redshift/credentials.ts";

const parse = (url: string) => RedshiftAddress.parse(url, "WAREHOUSE_URL");

test("port, encryption and the role have defaults", () => {
  const address = parse("redshift://etl:p%40ss@dw.example.com/sales");
  expect(address.text).toBe("redshift://etl@dw.example.com:5439/sales");
  expect(address.connection("task")).toMatchObject({
    port: 5439,
    password: "p@ss",
    ssl: { rejectUnauthorized: false },
    keepAlive: true,
    application_name: "task",
  });
  expect(address.access).toEqual({ authorization: { iamRole: "default" }, region: undefined });
  expect(parse("redshift://etl@dw/d?cluster=c").connection("t").user).toBe("IAM:etl");
  expect(parse("redshift://etl:x@127.0.0.1:1/d").connection("t").ssl).toBe(false);
});

test("it sends no start-up parameter that Redshift does not know", () => {
  const known = ["host", "port", "user", "database", "ssl", "password", "application_name"];
  const client = ["connectionTimeoutMillis", "keepAlive", "keepAliveInitialDelayMillis"];
  const sent = Object.keys(parse("redshift://etl:x@dw/d").connection("t"));
  expect(sent.filter((name) => ![...known, ...client].includes(name))).toEqual([]);
});

test("secrets are in no text of it", () => {
  const address = parse(
    "redshift://etl:hush1@dw/d?access_key_id=AKIA&secret_access_key=hush2&session_token=hush3&region=eu-west-1&statement_timeout=5000",
  );
  expect(`${address.text}${inspect(address, { depth: 9 })}${JSON.stringify(address)}`).not.toMatch(
    /hush/,
  );
  expect(address.statementTimeout).toBe(5000);
});

test.each([
  ["redshift://dw/d", "expected redshift://user@host"],
  ["not a url hush", "expected redshift://user@host"],
  ["redshift://etl:hush@dw/d?lock_timeout=1", 'unknown parameter "lock_timeout"'],
  ["redshift://etl:hush@dw/d?cluster=c", "give one of a password, cluster and workgroup"],
  ["redshift://etl:hush@dw/d?access_key_id=AKIA", "give either iam_role, or access_key_id"],
  ["redshift://etl:hush@dw/d?iam_role=loader", "iam_role: expected"],
  ["redshift://etl:hush@dw/d?statement_timeout=5s", "a number of milliseconds"],
])("%s is refused", (url, message) => {
  expect(() => parse(url)).toThrow(message);
  expect(() => parse(url)).not.toThrow("hush");
});

describe("credentials of an identity", () => {
  const asked: { readonly request: IncomingMessage; readonly body: string }[] = [];
  let answer = "";
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      asked.push({ request, body });
      response.end(answer);
    });
  });
  const listening = new Promise<string>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(`http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`);
    });
  });
  const config = async () => ({
    endpoint: await listening,
    region: "eu-west-1",
    credentials: { accessKeyId: "AKIA", secretAccessKey: "hush" },
  });

  afterAll(() => {
    server.close();
  });

  test("of a cluster: a signed GetClusterCredentials", async () => {
    answer =
      "<GetClusterCredentialsResponse><GetClusterCredentialsResult><DbUser>IAM:etl</DbUser><DbPassword>fresh</DbPassword></GetClusterCredentialsResult></GetClusterCredentialsResponse>";
    const wanted = { cluster: "dw-1", user: "IAM:etl", database: "sales" };
    expect((await clusterPassword(wanted, await config())).reveal()).toBe("fresh");
    const { request, body } = asked.at(-1)!;
    expect(request.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIA\/\d{8}\/eu-west-1\/redshift\/aws4_request/,
    );
    expect(Object.fromEntries(new URLSearchParams(body))).toMatchObject({
      Action: "GetClusterCredentials",
      ClusterIdentifier: "dw-1",
      DbUser: "etl",
      DbName: "sales",
      DurationSeconds: "3600",
    });
  });

  test("of a workgroup: a signed GetCredentials", async () => {
    answer = JSON.stringify({ dbUser: "IAMR:etl", dbPassword: "fresh" });
    const wanted = { workgroup: "dw", user: "IAMR:etl", database: "sales" };
    expect((await workgroupPassword(wanted, await config())).reveal()).toBe("fresh");
    const { request, body } = asked.at(-1)!;
    expect(request.headers["x-amz-target"]).toBe("RedshiftServerless.GetCredentials");
    expect(request.headers.authorization).toContain("/redshift-serverless/aws4_request");
    expect(JSON.parse(body)).toEqual({
      workgroupName: "dw",
      dbName: "sales",
      durationSeconds: 3600,
    });
  });

  test("for another user than the URL's: the right one is named", async () => {
    answer = JSON.stringify({ dbUser: "IAMR:other", dbPassword: "fresh" });
    const wanted = { workgroup: "dw", user: "etl", database: "sales" };
    await expect(workgroupPassword(wanted, await config())).rejects.toThrow(
      'to the user "IAMR:other": put that one',
    );
  });

  test("refused: unreachable, with AWS's reason", async () => {
    answer = "no XML";
    const wanted = { cluster: "dw-1", user: "IAM:etl", database: "sales" };
    await expect(
      clusterPassword(wanted, { ...(await config()), maxAttempts: 1 }),
    ).rejects.toMatchObject({ code: "REDSHIFT_CREDENTIALS" });
  });
});
