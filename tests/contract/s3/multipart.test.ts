import { createHash, randomBytes } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { bytesOf, contract, refusal } from "./endpoint.ts";

const c = contract();
const MIB = 1024 ** 2;
const md5 = (data: Buffer): Buffer => createHash("md5").update(data).digest();
/** Without automatic checksums: these tests are about parts and ETags. */
const plain = () => c.client({ requestChecksumCalculation: "WHEN_REQUIRED" });

async function start(Key: string) {
  const s3 = plain();
  const target = { Bucket: c.bucket, Key };
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(target));
  const upload = { ...target, UploadId };
  return {
    upload,
    part: async (PartNumber: number, Body: string | Buffer): Promise<CompletedPart> => {
      const { ETag } = await s3.send(new UploadPartCommand({ ...upload, PartNumber, Body }));
      return { PartNumber, ETag };
    },
    complete: (Parts: CompletedPart[]) =>
      s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } })),
    abort: () => s3.send(new AbortMultipartUploadCommand(upload)),
  };
}

const head = (Key: string) => c.s3.send(new HeadObjectCommand({ Bucket: c.bucket, Key }));

describe("multipart uploads", () => {
  it("the object is its parts in order, its ETag the MD5 of MD5s and their number", async () => {
    const { part, complete } = await start("mp");
    const [first, last] = [randomBytes(5 * MIB), Buffer.from("tail")];
    const b = await part(7, last);
    const a = await part(2, first);
    const { ETag } = await complete([a, b]);
    const digests = md5(Buffer.concat([md5(first), md5(last)]));
    expect(ETag).toBe(`"${digests.toString("hex")}-2"`);
    const got = await c.s3.send(new GetObjectCommand({ Bucket: c.bucket, Key: "mp" }));
    expect(md5(await bytesOf(got))).toEqual(md5(Buffer.concat([first, last])));
    const across = { Bucket: c.bucket, Key: "mp", Range: `bytes=${5 * MIB - 2}-${5 * MIB + 1}` };
    const span = await bytesOf(await c.s3.send(new GetObjectCommand(across)));
    expect(span).toEqual(Buffer.concat([first.subarray(-2), last.subarray(0, 2)]));
  });

  it("a reader finishes the object it began, though it is deleted meanwhile", async () => {
    const { part, complete } = await start("read-on");
    const body = randomBytes(16 * MIB);
    await complete([await part(1, body), await part(2, body)]);
    const object = { Bucket: c.bucket, Key: "read-on" };
    const got = await c.s3.send(new GetObjectCommand(object));
    await c.s3.send(new DeleteObjectCommand(object));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(md5(await bytesOf(got))).toEqual(md5(Buffer.concat([body, body])));
  });

  it("nothing is visible before completion", async () => {
    const { part, abort } = await start("invisible");
    await part(1, "x");
    expect(await refusal(head("invisible"))).toMatchObject({ status: 404 });
    const list = { Bucket: c.bucket, Prefix: "invisible" };
    expect((await c.s3.send(new ListObjectsV2Command(list))).KeyCount).toBe(0);
    await abort();
  });

  it("an aborted upload takes no more parts and cannot be completed", async () => {
    const { part, complete, abort } = await start("aborted");
    const a = await part(1, "x");
    await abort();
    expect(await refusal(part(2, "y"))).toEqual({ name: "NoSuchUpload", status: 404 });
    expect(await refusal(complete([a]))).toEqual({ name: "NoSuchUpload", status: 404 });
  });

  it("a part uploaded again replaces the first, and left-out parts are not in the object", async () => {
    const { part, complete } = await start("replaced-part");
    await part(1, "old");
    const a = await part(1, "new");
    await part(2, "left out");
    await complete([a]);
    expect(await c.read("replaced-part")).toBe("new");
  });

  it("a small part that is not the last is EntityTooSmall", async () => {
    const { part, complete } = await start("small");
    const parts = [await part(1, "tiny"), await part(2, "tiny")];
    expect(await refusal(complete(parts))).toEqual({ name: "EntityTooSmall", status: 400 });
  });

  it("a wrong ETag or an absent part is InvalidPart", async () => {
    const { part, complete } = await start("invalid");
    const a = await part(1, "tiny");
    const wrong = complete([{ PartNumber: 1, ETag: `"${"f".repeat(32)}"` }]);
    expect(await refusal(wrong)).toEqual({ name: "InvalidPart", status: 400 });
    const absent = complete([{ PartNumber: 3, ETag: a.ETag }]);
    expect(await refusal(absent)).toEqual({ name: "InvalidPart", status: 400 });
    await complete([a]);
    expect(await c.read("invalid")).toBe("tiny");
  });

  it("parts out of order are InvalidPartOrder", async () => {
    const { part, complete } = await start("order");
    const body = Buffer.alloc(5 * MIB);
    const parts = [await part(2, body), await part(1, body)];
    expect(await refusal(complete(parts))).toEqual({ name: "InvalidPartOrder", status: 400 });
  });

  it("parts are copied from objects, whole or a span", async () => {
    await c.put("source", Buffer.alloc(6 * MIB, "s"));
    const { upload, complete } = await start("copied");
    const copy = async (PartNumber: number, CopySourceRange?: string) => {
      const source = { CopySource: `${c.bucket}/source`, CopySourceRange };
      const command = new UploadPartCopyCommand({ ...upload, ...source, PartNumber });
      return { PartNumber, ETag: (await c.s3.send(command)).CopyPartResult?.ETag };
    };
    const beyond = copy(3, `bytes=0-${6 * MIB}`);
    expect(await refusal(beyond)).toEqual({ name: "InvalidArgument", status: 400 });
    await complete([await copy(1), await copy(2, "bytes=10-19")]);
    expect((await head("copied")).ContentLength).toBe(6 * MIB + 10);
  });
});

describe("lists of uploads and parts", () => {
  it("parts are listed in pages", async () => {
    const { upload, part, abort } = await start("listed-parts");
    for (const number of [3, 1, 2]) await part(number, `part ${number}`);
    const first = await c.s3.send(new ListPartsCommand({ ...upload, MaxParts: 2 }));
    expect(first.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
      [1, 6],
      [2, 6],
    ]);
    expect(first.IsTruncated).toBe(true);
    const PartNumberMarker = first.NextPartNumberMarker;
    const rest = await c.s3.send(new ListPartsCommand({ ...upload, PartNumberMarker }));
    expect(rest.Parts?.map(({ PartNumber }) => PartNumber)).toEqual([3]);
    expect(rest.IsTruncated).toBe(false);
    await abort();
  });

  it("uploads are listed in pages, by key and then by age", async () => {
    const started = [];
    for (const key of ["up/b", "up/a", "up/b"]) {
      started.push(await start(key));
      // Real S3 orders uploads of one key by their second.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const [b1, a, b2] = started.map(({ upload }) => upload.UploadId);
    const listed: (string | undefined)[] = [];
    let markers: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {};
    for (;;) {
      const request = { Bucket: c.bucket, Prefix: "up/", MaxUploads: 1, ...markers };
      const page = await c.s3.send(new ListMultipartUploadsCommand(request));
      listed.push(...(page.Uploads ?? []).map(({ UploadId }) => UploadId));
      if (page.IsTruncated !== true) break;
      markers = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
    }
    expect(listed).toEqual([a, b1, b2]);
    for (const { abort } of started) await abort();
  });
});
