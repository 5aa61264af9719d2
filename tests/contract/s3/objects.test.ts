import { createHash, randomBytes } from "node:crypto";
import { request } from "node:http";
import { Readable } from "node:stream";
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { bytesOf, contract, refusal } from "./endpoint.ts";
import { presignedUrl } from "./raw-request.ts";

const c = contract();
const md5 = (data: Buffer): string => createHash("md5").update(data).digest("hex");
const get = (Key: string, more: object = {}) =>
  c.s3.send(new GetObjectCommand({ Bucket: c.bucket, Key, ...more }));
const head = (Key: string) => c.s3.send(new HeadObjectCommand({ Bucket: c.bucket, Key }));

describe("objects", () => {
  it("an object is read back as it was written, with its type and metadata", async () => {
    const body = randomBytes(100_000);
    const put = await c.put("a/b.bin", body, {
      ContentType: "text/csv",
      CacheControl: "no-store",
      Metadata: { foo: "bar" },
    });
    expect(put.ETag).toBe(`"${md5(body)}"`);
    const got = await get("a/b.bin");
    expect((await bytesOf(got)).equals(body)).toBe(true);
    expect(got).toMatchObject({
      ContentType: "text/csv",
      CacheControl: "no-store",
      ContentLength: 100_000,
      Metadata: { foo: "bar" },
    });
  });

  it("HEAD tells size and date, and is 404 for a missing key", async () => {
    await c.put("headed", "12345");
    const found = await head("headed");
    expect(found.ContentLength).toBe(5);
    expect(found.LastModified).toBeInstanceOf(Date);
    expect(await refusal(head("missing"))).toEqual({ name: "NotFound", status: 404 });
  });

  it("a missing key is NoSuchKey, a missing bucket NoSuchBucket", async () => {
    expect(await refusal(get("missing"))).toEqual({ name: "NoSuchKey", status: 404 });
    const elsewhere = get("missing", { Bucket: "sluice-no-such-bucket" });
    expect(await refusal(elsewhere)).toEqual({ name: "NoSuchBucket", status: 404 });
  });

  it("an empty object exists", async () => {
    await c.put("empty", "");
    expect((await head("empty")).ContentLength).toBe(0);
    expect(await c.read("empty")).toBe("");
  });

  it("a stream of known length arrives without its chunk framing", async () => {
    const body = randomBytes(1_000_000);
    const stream = Readable.from([body.subarray(0, 3000), body.subarray(3000)]);
    const command = { Bucket: c.bucket, Key: "st", Body: stream, ContentLength: body.length };
    await c.s3.send(new PutObjectCommand(command));
    expect(md5(await bytesOf(await get("st")))).toBe(md5(body));
  });

  it("an object is replaced as a whole", async () => {
    await c.put("replaced", "long old content", { Metadata: { old: "1" } });
    await c.put("replaced", "new");
    const got = await get("replaced");
    expect((await bytesOf(got)).toString()).toBe("new");
    expect(got.Metadata).toEqual({});
  });

  it("a reader finishes the version it began, though it is overwritten meanwhile", async () => {
    const old = randomBytes(8 * 1024 ** 2);
    await c.put("moving", old);
    const got = await get("moving");
    await c.put("moving", "new");
    expect(md5(await bytesOf(got))).toBe(md5(old));
  });

  it.each([
    "sp ace/plus+amp&q=?x#h.csv",
    "ünï/日本語.csv",
    "emoji/😀.csv",
    "a//b",
    "/leading",
    "dots/../x",
    "pct%20%2F.csv",
    "quote'\"<>.csv",
    "paren(s)!*~.csv",
  ])("the key %s is kept exactly", async (key) => {
    const odd = `odd/${key}`;
    await c.put(odd, key);
    expect(await c.read(odd)).toBe(key);
    const { Contents = [] } = await c.s3.send(
      new ListObjectsV2Command({ Bucket: c.bucket, Prefix: odd }),
    );
    expect(Contents.map(({ Key }) => Key)).toEqual([odd]);
    await c.s3.send(new DeleteObjectCommand({ Bucket: c.bucket, Key: odd }));
    expect(await refusal(head(odd))).toMatchObject({ status: 404 });
  });

  it("a key and keys below it live side by side", async () => {
    await c.put("co", "1");
    await c.put("co/x", "2");
    await c.put("co/", "");
    expect(await c.read("co")).toBe("1");
    expect(await c.read("co/x")).toBe("2");
  });

  it("deleting what does not exist succeeds", async () => {
    await c.put("deleted", "1");
    await c.s3.send(new DeleteObjectCommand({ Bucket: c.bucket, Key: "deleted" }));
    await c.s3.send(new DeleteObjectCommand({ Bucket: c.bucket, Key: "deleted" }));
    expect(await refusal(head("deleted"))).toMatchObject({ status: 404 });
  });

  it("DeleteObjects takes keys with special characters", async () => {
    const key = " x&y<z>'\".csv ";
    await c.put(key, "1");
    const Delete = { Objects: [{ Key: key }], Quiet: true };
    const answer = await c.s3.send(new DeleteObjectsCommand({ Bucket: c.bucket, Delete }));
    expect(answer.Deleted).toBeUndefined();
    expect(await refusal(head(key))).toMatchObject({ status: 404 });
  });

  it("a connection cut in the middle of a PUT leaves no object", async () => {
    const url = presignedUrl("PUT", `${c.endpoint}/${c.bucket}/cut`);
    const put = request(url, { method: "PUT", headers: { "content-length": 1_000_000 } });
    put.on("error", () => undefined);
    put.write(randomBytes(1000));
    await new Promise((resolve) => setTimeout(resolve, 100));
    put.destroy();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await refusal(head("cut"))).toEqual({ name: "NotFound", status: 404 });
  });
});

describe("ranges", () => {
  const body = randomBytes(10_000);

  it.each([
    ["bytes=100-199", 100, 200],
    ["bytes=9990-", 9990, 10_000],
    ["bytes=-10", 9990, 10_000],
    ["bytes=0-99999", 0, 10_000],
  ])("%s answers that span", async (Range, start, end) => {
    await c.put("ranged", body);
    const got = await get("ranged", { Range });
    expect(got.$metadata.httpStatusCode).toBe(206);
    expect(got.ContentRange).toBe(`bytes ${start}-${end - 1}/10000`);
    expect((await bytesOf(got)).equals(body.subarray(start, end))).toBe(true);
  });

  it("a range behind the end is 416", async () => {
    await c.put("ranged", body);
    expect(await refusal(get("ranged", { Range: "bytes=20000-" }))).toEqual({
      name: "InvalidRange",
      status: 416,
    });
  });
});

describe("copies", () => {
  const copy = (Key: string, more: object = {}) =>
    c.s3.send(
      new CopyObjectCommand({
        Bucket: c.bucket,
        Key,
        CopySource: `${c.bucket}/source%20%2B%C3%BC`,
        ...more,
      }),
    );

  it("a copy has the bytes and the metadata of its source", async () => {
    await c.put("source +ü", "bytes", { ContentType: "text/csv", Metadata: { from: "source" } });
    const { CopyObjectResult } = await copy("copied");
    const got = await get("copied");
    expect((await bytesOf(got)).toString()).toBe("bytes");
    expect(got).toMatchObject({ ContentType: "text/csv", Metadata: { from: "source" } });
    expect(CopyObjectResult?.ETag).toBe(got.ETag);
  });

  it("REPLACE gives the copy its own metadata, also on the object itself", async () => {
    await c.put("source +ü", "bytes", { Metadata: { from: "source" } });
    const replace = { MetadataDirective: "REPLACE", Metadata: { to: "copy" } };
    await copy("source +ü", replace);
    const got = await get("source +ü");
    expect(got.Metadata).toEqual({ to: "copy" });
    expect((await bytesOf(got)).toString()).toBe("bytes");
  });

  it("copying an object to itself without a change is refused", async () => {
    await c.put("source +ü", "bytes");
    expect(await refusal(copy("source +ü"))).toEqual({ name: "InvalidRequest", status: 400 });
  });

  it("a missing source is NoSuchKey", async () => {
    const missing = copy("copied", { CopySource: `${c.bucket}/missing` });
    expect(await refusal(missing)).toEqual({ name: "NoSuchKey", status: 404 });
  });
});
