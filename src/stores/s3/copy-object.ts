/**
 * Copies an object within a bucket, on the server: no byte passes through this process. S3 copies up to
 * 5 GB at once; a larger object is copied part by part, all of one version, and appears when it is whole.
 */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  type S3Client,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";

export interface CopyLimits {
  /** Bytes of the largest object that is copied at once. */
  readonly whole: number;
  /** Bytes of a part. */
  readonly part: number;
}

/** S3's own limit, and parts of which 10,000 are enough for its largest object of 50 TB. */
export const COPY_LIMITS: CopyLimits = { whole: 5 * 1024 ** 3, part: 5 * 1024 ** 3 };

interface Place {
  readonly Bucket: string;
  readonly Key: string;
}

/** Fails with `NoSuchKey` or `NotFound` when there is nothing to copy. */
export async function copyObject(
  client: S3Client,
  from: Place,
  to: Place,
  signal: AbortSignal | undefined,
  limits: CopyLimits = COPY_LIMITS,
): Promise<void> {
  const options = signal === undefined ? {} : { abortSignal: signal };
  const { ContentLength = 0, ETag } = await client.send(new HeadObjectCommand(from), options);
  const source = {
    CopySource: [from.Bucket, ...from.Key.split("/")].map(encodeURIComponent).join("/"),
    CopySourceIfMatch: ETag,
  };
  if (ContentLength <= limits.whole) {
    await client.send(new CopyObjectCommand({ ...to, ...source }), options);
    return;
  }
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(to), options);
  try {
    const parts: CompletedPart[] = [];
    for (let start = 0; start < ContentLength; start += limits.part) {
      const PartNumber = parts.length + 1;
      const range = `bytes=${start}-${Math.min(start + limits.part, ContentLength) - 1}`;
      const command = { ...to, ...source, UploadId, PartNumber, CopySourceRange: range };
      const { CopyPartResult } = await client.send(new UploadPartCopyCommand(command), options);
      parts.push({ PartNumber, ETag: CopyPartResult?.ETag });
    }
    const MultipartUpload = { Parts: parts };
    await client.send(
      new CompleteMultipartUploadCommand({ ...to, UploadId, MultipartUpload }),
      options,
    );
  } catch (error) {
    // Not with the signal: it may be what ended the copy.
    await client.send(new AbortMultipartUploadCommand({ ...to, UploadId })).catch(() => {
      // The sweep of stale uploads comes by; the error that led here says more.
    });
    throw error;
  }
}
