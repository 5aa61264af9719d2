import { Readable } from "node:stream";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { contract, refusal } from "./endpoint.ts";

const c = contract();
const LOST = { name: "PreconditionFailed", status: 412 };
const STALE = '"00000000000000000000000000000000"';

describe("conditional reads", () => {
  const get = (more: object) =>
    c.s3.send(new GetObjectCommand({ Bucket: c.bucket, Key: "read", ...more }));

  it("If-Match reads only that version", async () => {
    const { ETag } = await c.put("read", "1");
    expect((await get({ IfMatch: ETag })).ETag).toBe(ETag);
    expect(await refusal(get({ IfMatch: STALE }))).toEqual(LOST);
  });

  it("If-None-Match answers 304 for the version the client has", async () => {
    const { ETag } = await c.put("read", "1");
    expect(await refusal(get({ IfNoneMatch: ETag }))).toMatchObject({ status: 304 });
    expect((await get({ IfNoneMatch: STALE })).ETag).toBe(ETag);
  });

  it("If-Modified-Since and If-Unmodified-Since compare with the date", async () => {
    await c.put("read", "1");
    const past = new Date(Date.now() - 3_600_000);
    const future = new Date(Date.now() + 3_600_000);
    expect(await refusal(get({ IfModifiedSince: future }))).toMatchObject({ status: 304 });
    expect((await get({ IfModifiedSince: past })).ContentLength).toBe(1);
    expect(await refusal(get({ IfUnmodifiedSince: past }))).toEqual(LOST);
    expect((await get({ IfUnmodifiedSince: future })).ContentLength).toBe(1);
  });
});

describe("create only if absent", () => {
  it("the second PUT with If-None-Match: * is 412 and changes nothing", async () => {
    await c.put("once", "1", { IfNoneMatch: "*" });
    expect(await refusal(c.put("once", "2", { IfNoneMatch: "*" }))).toEqual(LOST);
    expect(await c.read("once")).toBe("1");
  });

  it("of 20 racing PUTs exactly one wins, and its body stays", async () => {
    const racers = Array.from({ length: 20 }, (_, index) => `w${index}`);
    const results = await Promise.allSettled(
      racers.map((body) => c.put("race", body, { IfNoneMatch: "*" })),
    );
    const winners = racers.filter((_, index) => results[index]?.status === "fulfilled");
    expect(winners).toHaveLength(1);
    expect(await c.read("race")).toBe(winners[0]);
  });

  it("a deleted key can be created again", async () => {
    await c.put("again", "1", { IfNoneMatch: "*" });
    await c.s3.send(new DeleteObjectCommand({ Bucket: c.bucket, Key: "again" }));
    await c.put("again", "2", { IfNoneMatch: "*" });
    expect(await c.read("again")).toBe("2");
  });

  it("CompleteMultipartUpload honours it, and the upload survives a lost race", async () => {
    const complete = await startedUpload("mp-once");
    await c.put("mp-once", "first");
    expect(await refusal(complete({ IfNoneMatch: "*" }))).toEqual(LOST);
    expect(await c.read("mp-once")).toBe("first");
    await c.s3.send(new DeleteObjectCommand({ Bucket: c.bucket, Key: "mp-once" }));
    await complete({ IfNoneMatch: "*" });
    expect(await c.read("mp-once")).toBe("multipart");
  });

  it("CopyObject honours it", async () => {
    await c.put("copy-source", "copied");
    const copy = () =>
      c.s3.send(
        new CopyObjectCommand({
          Bucket: c.bucket,
          Key: "copy-once",
          CopySource: `${c.bucket}/copy-source`,
          IfNoneMatch: "*",
        }),
      );
    await copy();
    expect(await refusal(copy())).toEqual(LOST);
  });
});

describe("replace only one version", () => {
  it("PUT with a stale If-Match is 412, and 404 if the object is gone", async () => {
    const { ETag } = await c.put("cas", "1");
    await c.put("cas", "2", { IfMatch: ETag });
    expect(await refusal(c.put("cas", "3", { IfMatch: ETag }))).toEqual(LOST);
    expect(await c.read("cas")).toBe("2");
    const gone = c.put("never-there", "1", { IfMatch: ETag });
    expect(await refusal(gone)).toEqual({ name: "NoSuchKey", status: 404 });
  });

  it("an object deleted while its replacement is on the way is 409", async () => {
    const { ETag } = await c.put("cas-gone", "1");
    let release = (): void => undefined;
    const deleted = new Promise<void>((resolve) => (release = resolve));
    const Body = Readable.from(
      (async function* () {
        yield Buffer.alloc(70_000);
        await deleted;
        yield Buffer.alloc(70_000);
      })(),
    );
    const replacement = c.s3.send(
      new PutObjectCommand({
        Bucket: c.bucket,
        Key: "cas-gone",
        Body,
        ContentLength: 140_000,
        IfMatch: ETag,
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    await c.s3.send(new DeleteObjectCommand({ Bucket: c.bucket, Key: "cas-gone" }));
    release();
    expect(await refusal(replacement)).toEqual({ name: "ConditionalRequestConflict", status: 409 });
  });

  it("of 10 PUTs that replace the same version one wins", async () => {
    const { ETag } = await c.put("cas-race", "0");
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) => c.put("cas-race", `${index}!`, { IfMatch: ETag })),
    );
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("CompleteMultipartUpload honours it", async () => {
    const { ETag } = await c.put("mp-cas", "1");
    const complete = await startedUpload("mp-cas");
    expect(await refusal(complete({ IfMatch: STALE }))).toEqual(LOST);
    await complete({ IfMatch: ETag });
    expect(await c.read("mp-cas")).toBe("multipart");
  });

  it("CopyObject honours it, and the conditions on its source", async () => {
    const source = await c.put("copy-source", "copied");
    const target = await c.put("copy-cas", "1");
    const copy = (more: object) =>
      c.s3.send(
        new CopyObjectCommand({
          Bucket: c.bucket,
          Key: "copy-cas",
          CopySource: `${c.bucket}/copy-source`,
          ...more,
        }),
      );
    expect(await refusal(copy({ IfMatch: STALE }))).toEqual(LOST);
    expect(await refusal(copy({ CopySourceIfMatch: STALE }))).toEqual(LOST);
    expect(await refusal(copy({ CopySourceIfNoneMatch: source.ETag }))).toEqual(LOST);
    expect(await c.read("copy-cas")).toBe("1");
    await copy({ IfMatch: target.ETag, CopySourceIfMatch: source.ETag });
    expect(await c.read("copy-cas")).toBe("copied");
  });

  it("DeleteObject honours it", async () => {
    const { ETag } = await c.put("del-cas", "1");
    const remove = (IfMatch: string | undefined) =>
      c.s3.send(new DeleteObjectCommand({ Bucket: c.bucket, Key: "del-cas", IfMatch }));
    expect(await refusal(remove(STALE))).toEqual(LOST);
    await remove(ETag);
    const head = c.s3.send(new HeadObjectCommand({ Bucket: c.bucket, Key: "del-cas" }));
    expect(await refusal(head)).toMatchObject({ status: 404 });
  });
});

/** An upload of one part that only needs completing. */
async function startedUpload(Key: string): Promise<(more: object) => Promise<unknown>> {
  const target = { Bucket: c.bucket, Key };
  const client = c.client({ requestChecksumCalculation: "WHEN_REQUIRED" });
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(target));
  const part = { ...target, UploadId, PartNumber: 1 };
  const { ETag } = await client.send(new UploadPartCommand({ ...part, Body: "multipart" }));
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
  return (more) =>
    client.send(
      new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload, ...more }),
    );
}
