import { createHash, randomBytes } from "node:crypto";
import {
  type ChecksumAlgorithm,
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { bytesOf, contract, refusal } from "./endpoint.ts";

const c = contract();
const check = "123456789";
/** The check values of the published catalogue of CRCs, and hashes by node:crypto. */
const KNOWN: readonly [ChecksumAlgorithm, string][] = [
  ["CRC32", Buffer.from("cbf43926", "hex").toString("base64")],
  ["CRC32C", Buffer.from("e3069283", "hex").toString("base64")],
  ["CRC64NVME", Buffer.from("ae8b14860a799888", "hex").toString("base64")],
  ["SHA1", createHash("sha1").update(check).digest("base64")],
  ["SHA256", createHash("sha256").update(check).digest("base64")],
];

const get = (Key: string) =>
  c.s3.send(new GetObjectCommand({ Bucket: c.bucket, Key, ChecksumMode: "ENABLED" }));

describe.each(KNOWN)("%s", (algorithm, value) => {
  const field = `Checksum${algorithm}`;

  it("is verified, stored and returned", async () => {
    expect(await c.put("summed", check, { [field]: value })).toMatchObject({ [field]: value });
    const got = await get("summed");
    expect(got).toMatchObject({ [field]: value, ChecksumType: "FULL_OBJECT" });
    expect((await bytesOf(got)).toString()).toBe(check);
  });

  it("refuses a body that it does not describe", async () => {
    const put = c.put("bad", `${check}!`, { [field]: value });
    expect(await refusal(put)).toEqual({ name: "BadDigest", status: 400 });
    expect(await refusal(get("bad"))).toMatchObject({ status: 404 });
  });
});

it("a wrong Content-MD5 is refused", async () => {
  const put = c.put("bad", "hello", { ContentMD5: "AAAAAAAAAAAAAAAAAAAAAA==" });
  expect(await refusal(put)).toEqual({ name: "BadDigest", status: 400 });
});

it("without ChecksumMode no checksum is returned", async () => {
  await c.put("summed", check);
  const client = c.client({ responseChecksumValidation: "WHEN_REQUIRED" });
  const got = await client.send(new GetObjectCommand({ Bucket: c.bucket, Key: "summed" }));
  expect(got.ChecksumCRC32).toBeUndefined();
});

describe("multipart checksums", () => {
  const parts = [randomBytes(5 * 1024 ** 2), randomBytes(5 * 1024 ** 2), Buffer.from("tail")];
  const whole = Buffer.concat(parts);

  async function upload(
    Key: string,
    ChecksumAlgorithm: ChecksumAlgorithm,
    more: { ChecksumType?: "FULL_OBJECT"; spoil?: boolean } = {},
  ) {
    const { ChecksumType, spoil = false } = more;
    const target = { Bucket: c.bucket, Key };
    const create = { ...target, ChecksumAlgorithm, ChecksumType };
    const { UploadId } = await c.s3.send(new CreateMultipartUploadCommand(create));
    const Parts: CompletedPart[] = [];
    for (const [index, Body] of parts.entries()) {
      const part = { ...target, UploadId, PartNumber: index + 1, Body, ChecksumAlgorithm };
      const { $metadata: _, ...sums } = await c.s3.send(new UploadPartCommand(part));
      Parts.push({ PartNumber: index + 1, ...sums });
    }
    if (spoil) Parts[0] = { ...Parts[0], [`Checksum${ChecksumAlgorithm}`]: "AAAAAA==" };
    const complete = { ...target, UploadId, MultipartUpload: { Parts } };
    return c.s3.send(new CompleteMultipartUploadCommand(complete));
  }

  it("a composite checksum is that of the parts' checksums", async () => {
    const outer = createHash("sha256");
    for (const part of parts) outer.update(createHash("sha256").update(part).digest());
    const expected = `${outer.digest("base64")}-3`;
    const done = await upload("composite", "SHA256");
    expect(done).toMatchObject({ ChecksumSHA256: expected, ChecksumType: "COMPOSITE" });
    const got = await get("composite");
    expect(got).toMatchObject({ ChecksumSHA256: expected, ChecksumType: "COMPOSITE" });
    expect((await bytesOf(got)).equals(whole)).toBe(true);
  });

  it.each([
    ["CRC32", { ChecksumType: "FULL_OBJECT" as const }],
    ["CRC32C", { ChecksumType: "FULL_OBJECT" as const }],
    ["CRC64NVME", {}],
  ] as const)("a full-object %s equals that of the bytes as one", async (algorithm, more) => {
    const done = await upload("full", algorithm, more);
    const alone = await c.put("alone", whole, { ChecksumAlgorithm: algorithm });
    const field = `Checksum${algorithm}` as const;
    expect(done.ChecksumType).toBe("FULL_OBJECT");
    expect(done[field]).toMatch(/=$/);
    expect(alone).toMatchObject({ [field]: done[field] });
    // The SDK compares the full-object checksum with what it reads.
    expect((await bytesOf(await get("full"))).equals(whole)).toBe(true);
  });

  it("a part's checksum that is not what was uploaded is InvalidPart", async () => {
    const spoiled = upload("spoiled", "CRC32", { spoil: true });
    expect(await refusal(spoiled)).toEqual({ name: "InvalidPart", status: 400 });
  });
});
