/**
 * The S3 endpoint that the contract battery runs against: our own server on a free port, or any
 * other one named by SLUICE_TEST_S3_ENDPOINT with SLUICE_TEST_S3_ACCESS_KEY_ID,
 * SLUICE_TEST_S3_SECRET_ACCESS_KEY and SLUICE_TEST_S3_REGION. Every test file gets a bucket of its
 * own, emptied and deleted at the end.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  type GetObjectCommandOutput,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  type PutObjectCommandOutput,
  S3Client,
  type S3ClientConfig,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll } from "vitest";
import { startS3Server } from "../../../src/embedded/s3/server.ts";

const { env } = process;

export const isOwnServer = env["SLUICE_TEST_S3_ENDPOINT"] === undefined;

export const keys = {
  accessKeyId: env["SLUICE_TEST_S3_ACCESS_KEY_ID"] ?? "contract",
  secretAccessKey: env["SLUICE_TEST_S3_SECRET_ACCESS_KEY"] ?? "contract-secret",
};
export const region = env["SLUICE_TEST_S3_REGION"] ?? "us-east-1";

export interface Contract {
  readonly endpoint: string;
  readonly bucket: string;
  readonly s3: S3Client;
  /** A client with other settings. */
  client(options?: S3ClientConfig): S3Client;
  put(key: string, body: string | Buffer, more?: object): Promise<PutObjectCommandOutput>;
  read(key: string): Promise<string>;
}

/** Sets up the endpoint for the test file that calls it; the members are valid inside tests. */
export function contract(): Contract {
  const clients: S3Client[] = [];
  const bucket = `sluice-contract-${randomBytes(6).toString("hex")}`;
  let endpoint = env["SLUICE_TEST_S3_ENDPOINT"] ?? "";
  let s3: S3Client;
  let stop = async (): Promise<void> => {};

  const client = (options: S3ClientConfig = {}): S3Client => {
    const settings = { endpoint, region, credentials: keys, forcePathStyle: true, maxAttempts: 1 };
    const created = new S3Client({ ...settings, ...options });
    clients.push(created);
    return created;
  };

  beforeAll(async () => {
    if (isOwnServer) ({ endpoint, stop } = await ownServer());
    s3 = client();
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  });
  afterAll(async () => {
    await deleteBucket(s3, bucket);
    for (const created of clients) created.destroy();
    await stop();
  });

  return {
    get endpoint() {
      return endpoint;
    },
    get s3() {
      return s3;
    },
    bucket,
    client,
    put: (key, body, more = {}) =>
      s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ...more })),
    read: async (key) => {
      const got = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return (await bytesOf(got)).toString();
    },
  };
}

/** The body of an answer. */
export async function bytesOf(answer: GetObjectCommandOutput): Promise<Buffer> {
  return Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
}

/** What a request failed with: its name and status. */
export async function refusal(
  request: Promise<unknown>,
): Promise<{ name: string; status: number }> {
  try {
    await request;
  } catch (error) {
    if (!(error instanceof S3ServiceException)) throw error;
    return { name: error.name, status: error.$metadata.httpStatusCode ?? 0 };
  }
  throw new Error("the request succeeded");
}

async function ownServer(): Promise<{ endpoint: string; stop: () => Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-s3-contract-"));
  const failures: unknown[] = [];
  const onFailure = (failure: unknown): void => void failures.push(failure);
  const server = await startS3Server({ dir, region, ...keys, onFailure });
  const stop = async (): Promise<void> => {
    await server.close();
    await rm(dir, { recursive: true });
    if (failures.length > 0) throw new AggregateError(failures, "the server answered 500");
  };
  return { endpoint: server.endpoint, stop };
}

async function deleteBucket(s3: S3Client, Bucket: string): Promise<void> {
  for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket })) {
    const Objects = (page.Contents ?? []).map(({ Key }) => ({ Key: Key ?? "" }));
    if (Objects.length > 0)
      await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  }
  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
  for (const { Key, UploadId } of Uploads) {
    await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  }
  await s3.send(new DeleteBucketCommand({ Bucket }));
}
