/** kill -9 under writers: what was acknowledged is there, what was not is whole or absent. */
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { expect, it } from "vitest";
import { bytesOf } from "./endpoint.ts";
import { clientOf, spawnServer } from "./server-process.ts";

const ROUNDS = 3;
const WRITERS = 6;
const Bucket = "crash";
const digest = (data: Buffer): string => createHash("sha256").update(data).digest("hex");

/** What the writers know: of each key the content acknowledged last, and what may be there. */
interface Ledger {
  readonly acknowledged: Map<string, string>;
  readonly possible: Map<string, Set<string>>;
}

it("kill -9 under writers loses no acknowledged object and leaves no half one", async () => {
  const dir = await mkdtemp(join(tmpdir(), "sluice-s3-crash-"));
  const ledger: Ledger = { acknowledged: new Map(), possible: new Map() };
  for (let round = 0; round < ROUNDS; round++) {
    const server = await spawnServer(dir);
    const s3 = clientOf(server.endpoint);
    if (round === 0) await s3.send(new CreateBucketCommand({ Bucket }));
    await checkAgainst(ledger, s3, dir);
    const writers = Array.from({ length: WRITERS }, (_, id) => write(s3, `${round}-${id}`, ledger));
    setTimeout(() => server.child.kill("SIGKILL"), 500 + 150 * round);
    await Promise.all([...writers, server.exited]);
    s3.destroy();
  }
  const server = await spawnServer(dir);
  const s3 = clientOf(server.endpoint);
  await checkAgainst(ledger, s3, dir);
  expect(ledger.acknowledged.size).toBeGreaterThan(50);
  s3.destroy();
  server.child.stdin?.end();
  await server.exited;
  await rm(dir, { recursive: true });
});

/** Writes new keys, overwrites shared ones, deletes and completes uploads until the server dies. */
async function write(s3: S3Client, name: string, ledger: Ledger): Promise<void> {
  for (let number = 0; ; number++) {
    const body = randomBytes(number % 5 === 0 ? 300_000 : 2000);
    const Key = number % 3 === 0 ? `own-shared-${name.slice(-1)}` : `${name}-${number}`;
    const hash = digest(body);
    const possible = ledger.possible.get(Key) ?? new Set();
    ledger.possible.set(Key, possible.add(hash));
    try {
      if (number % 7 === 6) await multipart(s3, Key, body);
      else await s3.send(new PutObjectCommand({ Bucket, Key, Body: body }));
      ledger.acknowledged.set(Key, hash);
      ledger.possible.set(Key, new Set([hash]));
      if (number % 11 === 10) {
        ledger.acknowledged.delete(Key);
        await s3.send(new DeleteObjectCommand({ Bucket, Key }));
        ledger.possible.delete(Key);
      }
    } catch {
      return;
    }
  }
}

async function multipart(s3: S3Client, Key: string, Body: Buffer): Promise<void> {
  const ChecksumAlgorithm = "CRC32";
  const create = new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm });
  const upload = { Bucket, Key, UploadId: (await s3.send(create)).UploadId };
  const { ETag, ChecksumCRC32 } = await s3.send(
    new UploadPartCommand({ ...upload, PartNumber: 1, Body, ChecksumAlgorithm }),
  );
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag, ChecksumCRC32 }] };
  await s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload }));
}

async function checkAgainst(ledger: Ledger, s3: S3Client, dir: string): Promise<void> {
  const found = new Map<string, string>();
  for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket })) {
    for (const { Key = "" } of page.Contents ?? []) {
      found.set(Key, digest(await bytesOf(await s3.send(new GetObjectCommand({ Bucket, Key })))));
    }
  }
  const lost = [...ledger.acknowledged.keys()].filter((key) => !found.has(key));
  const wrong = [...found].filter(([key, hash]) => !ledger.possible.get(key)?.has(hash));
  expect({ lost, wrong }).toEqual({ lost: [], wrong: [] });
  // One file an object, and at most one part of an upload that was never completed a writer.
  const files = await readdir(join(dir, "blobs"));
  expect(files.length).toBeLessThanOrEqual(found.size + WRITERS * ROUNDS);
  // What is there now was decided by the crash; from here on it must stay.
  for (const [key, hash] of found) {
    ledger.acknowledged.set(key, hash);
    ledger.possible.set(key, new Set([hash]));
  }
}
