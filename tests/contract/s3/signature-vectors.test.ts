/** The examples with numbers of AWS's documentation of Signature Version 4. */
import { Buffer } from "node:buffer";
import { describe, expect, it } from "vitest";
import { AwsChunkedDecoder } from "../../../src/embedded/s3/aws-chunked.ts";
import { ChunkSignatures } from "../../../src/embedded/s3/chunk-signatures.ts";
import { S3Error } from "../../../src/embedded/s3/error.ts";
import { hmac, verifySignature } from "../../../src/embedded/s3/sigv4.ts";

const EXAMPLE = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  region: "us-east-1",
};
const NOW = Date.UTC(2013, 4, 24);
const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const SCOPE = "20130524/us-east-1/s3/aws4_request";

const getObject = (signature: string) => ({
  method: "GET",
  rawPath: "/test.txt",
  query: [],
  headers: {
    host: "examplebucket.s3.amazonaws.com",
    range: "bytes=0-9",
    "x-amz-content-sha256": EMPTY_SHA256,
    "x-amz-date": "20130524T000000Z",
    authorization:
      `AWS4-HMAC-SHA256 Credential=${EXAMPLE.accessKeyId}/${SCOPE},` +
      `SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=${signature}`,
  },
});

describe("a request signed in its header", () => {
  it("is verified", () => {
    const documented = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
    const verified = verifySignature(getObject(documented), EXAMPLE, NOW);
    expect(verified.payload).toBe(EMPTY_SHA256);
  });

  it("is refused with another signature", () => {
    const forged = getObject("0".repeat(64));
    expect(() => verifySignature(forged, EXAMPLE, NOW)).toThrow(S3Error);
  });
});

it("a presigned URL is verified", () => {
  const query = Object.entries({
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": `${EXAMPLE.accessKeyId}/${SCOPE}`,
    "X-Amz-Date": "20130524T000000Z",
    "X-Amz-Expires": "86400",
    "X-Amz-SignedHeaders": "host",
    "X-Amz-Signature": "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
  });
  const headers = { host: "examplebucket.s3.amazonaws.com" };
  const request = { method: "GET", rawPath: "/test.txt", query, headers };
  expect(verifySignature(request, EXAMPLE, NOW).payload).toBe("UNSIGNED-PAYLOAD");
});

describe("the documented chunked upload of 66560 bytes", () => {
  const key = ["20130524", "us-east-1", "s3", "aws4_request"].reduce<Buffer>(
    hmac,
    Buffer.from(`AWS4${EXAMPLE.secretAccessKey}`),
  );
  const decoder = (signature: string, trailers: readonly string[]) =>
    new AwsChunkedDecoder({
      trailers,
      signatures: new ChunkSignatures({
        key,
        timestamp: "20130524T000000Z",
        scope: SCOPE,
        signature,
      }),
    });
  const wire = (signatures: readonly string[], end: string): Buffer => {
    const [first, second, last] = signatures;
    return Buffer.from(
      `10000;chunk-signature=${first}\r\n${"a".repeat(65_536)}\r\n` +
        `400;chunk-signature=${second}\r\n${"a".repeat(1024)}\r\n` +
        `0;chunk-signature=${last}\r\n${end}`,
    );
  };
  const decode = (decoding: AwsChunkedDecoder, bytes: Buffer, step: number): number => {
    let size = 0;
    for (let at = 0; at < bytes.length; at += step) {
      for (const data of decoding.push(bytes.subarray(at, at + step))) size += data.length;
    }
    decoding.end();
    return size;
  };

  it("its chunk signatures hold, however the bytes arrive", () => {
    const seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
    const body = wire(
      [
        "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
      ],
      "\r\n",
    );
    for (const step of [1, 7, 65_536, body.length]) {
      expect(decode(decoder(seed, []), body, step)).toBe(66_560);
    }
  });

  it("its trailer signature holds", () => {
    const seed = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";
    const chunks = [
      "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
      "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
      "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
    ];
    const end =
      "x-amz-checksum-crc32c:sOO8/Q==\r\n" +
      "x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n" +
      "\r\n";
    const announced = ["x-amz-checksum-crc32c"];
    expect(decode(decoder(seed, announced), wire(chunks, end), 1000)).toBe(66_560);
    const forged = wire(chunks, end.replace("sOO8", "tOO8"));
    expect(() => decode(decoder(seed, announced), forged, 1000)).toThrow(S3Error);
  });
});
