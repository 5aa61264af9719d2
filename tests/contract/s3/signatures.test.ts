import { randomBytes } from "node:crypto";
import { Agent } from "node:http";
import { crc32 } from "node:zlib";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, it } from "vitest";
import { bytesOf, contract, keys, refusal } from "./endpoint.ts";
import { presignedUrl, sendRaw, sha256, type SignatureChain } from "./raw-request.ts";

const c = contract();
const url = (key: string): string => `${c.endpoint}/${c.bucket}/${key}`;
const crc32Of = (data: Buffer): string => {
  const digest = Buffer.alloc(4);
  digest.writeUInt32BE(crc32(data));
  return digest.toString("base64");
};

beforeAll(() => c.put("known", "known content"));

describe("signed requests", () => {
  it("a wrong secret is 403", async () => {
    const client = c.client({ credentials: { ...keys, secretAccessKey: "wrong" } });
    const read = client.send(new GetObjectCommand({ Bucket: c.bucket, Key: "known" }));
    expect(await refusal(read)).toEqual({ name: "SignatureDoesNotMatch", status: 403 });
  });

  it("an unknown access key is 403", async () => {
    const client = c.client({ credentials: { ...keys, accessKeyId: "unknown" } });
    const read = client.send(new GetObjectCommand({ Bucket: c.bucket, Key: "known" }));
    expect(await refusal(read)).toEqual({ name: "InvalidAccessKeyId", status: 403 });
  });

  it("an unsigned request is 403", async () => {
    expect((await fetch(url("known"))).status).toBe(403);
  });

  it("a clock that is off by more than 15 minutes is 403", async () => {
    for (const minutes of [-16, 16]) {
      const signedAt = new Date(Date.now() + minutes * 60_000);
      const answer = await sendRaw({ method: "GET", url: url("known"), signedAt });
      expect(answer).toMatchObject({ status: 403, code: "RequestTimeTooSkewed" });
    }
  });

  it("a body that is not what was signed is refused", async () => {
    const request = { method: "PUT", url: url("forged"), body: Buffer.from("forged") };
    const answer = await sendRaw({ ...request, payload: sha256("original") });
    expect(answer).toMatchObject({ status: 400, code: "XAmzContentSHA256Mismatch" });
    expect((await sendRaw({ method: "GET", url: url("forged") })).status).toBe(404);
  });
});

describe("presigned URLs", () => {
  it("PUT and GET need no other credentials", async () => {
    const put = await fetch(presignedUrl("PUT", url("pre")), { method: "PUT", body: "presigned" });
    expect(put.status).toBe(200);
    const got = await fetch(presignedUrl("GET", url("pre")));
    expect(await got.text()).toBe("presigned");
  });

  it("headers carried in the query count", async () => {
    const parameters = { "response-content-type": "text/x-odd" };
    const got = await fetch(presignedUrl("GET", url("known"), { parameters }));
    expect(got.headers.get("content-type")).toBe("text/x-odd");
    const meta = { parameters: { "x-amz-meta-from": "query" } };
    await fetch(presignedUrl("PUT", url("pre-meta"), meta), { method: "PUT", body: "x" });
    const read = await c.s3.send(new GetObjectCommand({ Bucket: c.bucket, Key: "pre-meta" }));
    expect(read.Metadata).toEqual({ from: "query" });
  });

  it("an expired one is 403, and so is one for another method", async () => {
    const signedAt = new Date(Date.now() - 10_000);
    const expired = await fetch(presignedUrl("GET", url("known"), { expiresIn: 5, signedAt }));
    expect(expired.status).toBe(403);
    expect(await expired.text()).toContain("expired");
    const forGet = presignedUrl("GET", url("known"));
    expect((await fetch(forGet, { method: "DELETE" })).status).toBe(403);
  });

  it("a changed one is 403", async () => {
    const changed = presignedUrl("GET", url("known")).replace("Expires=60", "Expires=600");
    expect((await fetch(changed)).status).toBe(403);
  });
});

describe("aws-chunked bodies", () => {
  const data = randomBytes(200_000);
  const chunks = [data.subarray(0, 65_536), data.subarray(65_536), data.subarray(200_000)];
  const put = (
    payload: string,
    more: Record<string, string>,
    body: (c: SignatureChain) => Buffer,
  ) =>
    sendRaw({
      method: "PUT",
      url: url("chunked"),
      payload,
      headers: {
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": String(data.length),
        ...more,
      },
      bodyFrom: body,
    });
  const read = () => c.s3.send(new GetObjectCommand({ Bucket: c.bucket, Key: "chunked" }));
  const signedChunks = (chain: SignatureChain): Buffer =>
    Buffer.concat(chunks.map((chunk) => chain.chunk(chunk)));
  const signed = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
  const end = Buffer.from("\r\n");

  it("signed chunks are taken", async () => {
    const answer = await put(signed, {}, (chain) => Buffer.concat([signedChunks(chain), end]));
    expect(answer.status).toBe(200);
    const got = await read();
    expect((await bytesOf(got)).equals(data)).toBe(true);
    expect(got.ContentEncoding).toBeUndefined();
  });

  it("one changed byte in a signed chunk is 403, though the client is still sending", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const rest = Buffer.alloc(16 * 1024 ** 2);
    const headers = { "x-amz-decoded-content-length": String(65_536 + rest.length) };
    const answer = await sendRaw({
      method: "PUT",
      url: url("chunked"),
      payload: signed,
      headers,
      agent,
      bodyFrom: (chain) => {
        const first = chain.chunk(Buffer.alloc(65_536));
        first[1000] = 1;
        return Buffer.concat([first, chain.chunk(rest), chain.chunk(Buffer.alloc(0)), end]);
      },
    });
    expect(answer).toMatchObject({ status: 403, code: "SignatureDoesNotMatch" });
    // The connection still serves the next request.
    expect(await sendRaw({ method: "GET", url: url("known"), agent })).toMatchObject({
      status: 200,
      body: "known content",
    });
    agent.destroy();
  });

  it("a missing last chunk is refused", async () => {
    const cut = (chain: SignatureChain) =>
      Buffer.concat(chunks.slice(0, 2).map((chunk) => chain.chunk(chunk)));
    expect(await put(signed, {}, cut)).toMatchObject({ status: 400, code: "IncompleteBody" });
  });

  const trailer = { "x-amz-trailer": "x-amz-checksum-crc32" };
  const withTrailer = `${signed}-TRAILER`;

  it("signed trailers are taken", async () => {
    const answer = await put(withTrailer, trailer, (chain) =>
      Buffer.concat([
        signedChunks(chain),
        chain.trailers({ "x-amz-checksum-crc32": crc32Of(data) }),
      ]),
    );
    expect(answer.status).toBe(200);
    expect(answer.headers["x-amz-checksum-crc32"]).toBe(crc32Of(data));
  });

  it("a forged trailer is 403", async () => {
    const answer = await put(withTrailer, trailer, (chain) => {
      const body = signedChunks(chain);
      const wrong = chain.trailers({ "x-amz-checksum-crc32": "AAAAAA==" }).toString();
      return Buffer.concat([body, Buffer.from(wrong.replace("AAAAAA==", crc32Of(data)))]);
    });
    expect(answer).toMatchObject({ status: 403, code: "SignatureDoesNotMatch" });
  });

  it("an unsigned trailer that does not match the data is refused", async () => {
    const body = (checksum: string) => () =>
      Buffer.concat([
        Buffer.from(`${data.length.toString(16)}\r\n`),
        data,
        Buffer.from(`\r\n0\r\nx-amz-checksum-crc32:${checksum}\r\n\r\n`),
      ]);
    const unsigned = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
    expect((await put(unsigned, trailer, body(crc32Of(data)))).status).toBe(200);
    const wrong = await put(unsigned, trailer, body("AAAAAA=="));
    expect(wrong).toMatchObject({ status: 400, code: "BadDigest" });
  });
});
