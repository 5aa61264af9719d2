/** Buckets of the development S3 server. Buckets in real S3 are yours: nothing here creates those. */

import { CreateBucketCommand, S3Client, S3ServiceException } from "@aws-sdk/client-s3";

/** All that a client needs to reach one bucket. */
export interface S3Settings {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly bucket: string;
}

/** Creates the bucket unless we own it already. */
export async function createBucket(settings: S3Settings): Promise<void> {
  const { endpoint, region, accessKeyId, secretAccessKey, bucket } = settings;
  const client = new S3Client({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
  });
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
  } catch (error) {
    const ours = error instanceof S3ServiceException && error.name === "BucketAlreadyOwnedByYou";
    if (!ours) throw error;
  } finally {
    client.destroy();
  }
}
