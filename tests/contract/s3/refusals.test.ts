/** What our own server does not do, it says: 501, and nothing happens. */
import { beforeAll, describe, expect, it } from "vitest";
import { contract, isOwnServer } from "./endpoint.ts";
import { sendRaw } from "./raw-request.ts";

const c = contract();
const bucketUrl = (query = ""): string => `${c.endpoint}/${c.bucket}${query}`;
const objectUrl = (query = ""): string => `${bucketUrl()}/known${query}`;
const REFUSED = { status: 501, code: "NotImplemented" };

describe.runIf(isOwnServer)("what is not implemented", () => {
  beforeAll(() => c.put("known", "known"));

  it.each([
    ["GET", "?acl"],
    ["GET", "?tagging"],
    ["PUT", "?tagging"],
    ["GET", "?attributes"],
    ["GET", "?partNumber=1"],
    ["GET", "?versionId=x"],
    ["DELETE", "?versionId=x"],
    ["PUT", "?retention"],
    ["PUT", "?legal-hold"],
    ["POST", "?restore"],
    ["POST", "?select&select-type=2"],
    ["GET", "?invented"],
  ])("%s of an object with %s is 501", async (method, query) => {
    expect(await sendRaw({ method, url: objectUrl(query) })).toMatchObject(REFUSED);
    expect(await c.read("known")).toBe("known");
  });

  it.each([
    ["GET", "?versioning"],
    ["PUT", "?versioning"],
    ["GET", "?versions"],
    ["PUT", "?policy"],
    ["GET", "?lifecycle"],
    ["PUT", "?object-lock"],
    ["GET", "?list-type=2&invented=1"],
    ["GET", "?uploads&delimiter=/"],
  ])("%s of a bucket with %s is 501", async (method, query) => {
    const url = bucketUrl(query.replace("/", "%2F"));
    expect(await sendRaw({ method, url })).toMatchObject(REFUSED);
  });

  it.each([
    ["x-amz-acl", "public-read"],
    ["x-amz-tagging", "a=b"],
    ["x-amz-server-side-encryption", "aws:kms"],
    ["x-amz-server-side-encryption-customer-algorithm", "AES256"],
    ["x-amz-storage-class", "GLACIER"],
    ["x-amz-object-lock-mode", "COMPLIANCE"],
    ["x-amz-write-offset-bytes", "5"],
    ["x-amz-checksum-xxhash64", "AAAAAAAAAAA="],
    ["x-amz-invented", "1"],
    ["if-modified-since", "Thu, 01 Jan 2026 00:00:00 GMT"],
    ["if-none-match", '"abc"'],
  ])("a PUT with the header %s is 501 and stores nothing", async (name, value) => {
    const put = { method: "PUT", url: objectUrl(), headers: { [name]: value } };
    expect(await sendRaw({ ...put, body: Buffer.from("changed") })).toMatchObject(REFUSED);
    expect(await c.read("known")).toBe("known");
  });

  it("several ranges at once are 501", async () => {
    const headers = { range: "bytes=0-1,3-4" };
    expect(await sendRaw({ method: "GET", url: objectUrl(), headers })).toMatchObject(REFUSED);
  });

  it("an element that DeleteObjects does not know is 501", async () => {
    const body = Buffer.from(
      "<Delete><Object><Key>known</Key><VersionId>1</VersionId></Object></Delete>",
    );
    const headers = { "x-amz-checksum-sha256": "" };
    headers["x-amz-checksum-sha256"] = await sha256Base64(body);
    const request = { method: "POST", url: bucketUrl("?delete"), headers, body };
    expect(await sendRaw(request)).toMatchObject(REFUSED);
    expect(await c.read("known")).toBe("known");
  });

  it("what SDKs say about themselves is not refused", async () => {
    const headers = {
      "amz-sdk-invocation-id": "1",
      "amz-sdk-request": "attempt=1",
      "x-amz-user-agent": "aws-sdk-x/1",
    };
    const url = objectUrl("?x-id=GetObject");
    expect(await sendRaw({ method: "GET", url, headers })).toMatchObject({ status: 200 });
  });

  it("a method that S3 does not have is 405", async () => {
    expect(await sendRaw({ method: "PATCH", url: objectUrl() })).toMatchObject({ status: 405 });
  });

  it("XML that is none is MalformedXML", async () => {
    for (const text of ["", "<Delete>", "<!DOCTYPE x><Delete/>", "<a></b>"]) {
      const body = Buffer.from(text);
      const headers = { "x-amz-checksum-sha256": await sha256Base64(body) };
      const answer = await sendRaw({ method: "POST", url: bucketUrl("?delete"), headers, body });
      expect(answer).toMatchObject({ status: 400, code: "MalformedXML" });
    }
  });
});

async function sha256Base64(data: Buffer): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", data);
  return Buffer.from(digest).toString("base64");
}
