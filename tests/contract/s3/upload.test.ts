import { createHash, randomBytes } from "node:crypto";
import { PassThrough, Readable } from "node:stream";
import { createGzip, gunzipSync } from "node:zlib";
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { describe, expect, it } from "vitest";
import { bytesOf, contract, refusal } from "./endpoint.ts";

const c = contract();
const MIB = 1024 ** 2;
const upload = (Key: string, Body: Readable, more: object = {}) =>
  new Upload({ client: c.s3, params: { Bucket: c.bucket, Key, Body, ...more } });

describe("Upload of @aws-sdk/lib-storage", () => {
  it("a short stream of unknown length", async () => {
    const body = new PassThrough();
    body.end("hello world");
    await upload("short", body).done();
    expect(await c.read("short")).toBe("hello world");
  });

  it("200 MiB of unknown length arrive unchanged", async () => {
    const block = randomBytes(MIB);
    const sent = createHash("md5");
    const body = Readable.from(
      (function* () {
        for (let number = 0; number < 200; number++) {
          const chunk = Buffer.from(block);
          chunk.writeUInt32LE(number);
          sent.update(chunk);
          yield chunk;
        }
      })(),
    );
    const params = { Bucket: c.bucket, Key: "big", Body: body };
    await new Upload({ client: c.s3, params, partSize: 8 * MIB, queueSize: 4 }).done();
    const got = await c.s3.send(new GetObjectCommand({ Bucket: c.bucket, Key: "big" }));
    const received = createHash("md5");
    if (!(got.Body instanceof Readable)) throw new Error("no stream");
    for await (const chunk of got.Body) received.update(chunk);
    expect(got.ContentLength).toBe(200 * MIB);
    expect(received.digest("hex")).toBe(sent.digest("hex"));
  });

  it("a gzip stream keeps its Content-Encoding", async () => {
    const gzip = createGzip();
    for (let row = 0; row < 1000; row++) gzip.write(`${row},row\n`);
    gzip.end();
    await upload("g.csv.gz", gzip, { ContentEncoding: "gzip", ContentType: "text/csv" }).done();
    const got = await c.s3.send(new GetObjectCommand({ Bucket: c.bucket, Key: "g.csv.gz" }));
    expect(got.ContentEncoding).toBe("gzip");
    expect(
      gunzipSync(await bytesOf(got))
        .toString()
        .split("\n"),
    ).toHaveLength(1001);
  });

  it("a stream that fails leaves neither object nor upload", async () => {
    let blocks = 0;
    const body = new Readable({
      read() {
        if (blocks++ > 12) this.destroy(new Error("boom"));
        else this.push(Buffer.alloc(MIB));
      },
    });
    await expect(upload("boom", body).done()).rejects.toThrow("boom");
    const head = c.s3.send(new HeadObjectCommand({ Bucket: c.bucket, Key: "boom" }));
    expect(await refusal(head)).toMatchObject({ status: 404 });
    const open = { Bucket: c.bucket, Prefix: "boom" };
    const { Uploads = [] } = await c.s3.send(new ListMultipartUploadsCommand(open));
    expect(Uploads).toEqual([]);
  });
});
