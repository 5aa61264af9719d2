/**
 * The operations on buckets themselves: list, create, look up, locate, delete.
 */
import { receiveText } from "./body.ts";
import { S3Error } from "./error.ts";
import { isoTime } from "./object-headers.ts";
import { type Reply, xmlReply } from "./reply.ts";
import type { S3Request } from "./request.ts";
import type { Store } from "./store.ts";
import { allowChildren, childText, readXml } from "./xml-reader.ts";

/** Who owns everything here. */
export const OWNER = { ID: "sluice", DisplayName: "sluice" } as const;

const BUCKET_NAME = /^(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** The region whose buckets have no location, for reasons of history. */
const FIRST_REGION = "us-east-1";

export function listBuckets(_: S3Request, store: Store): Reply {
  const buckets = [...store.buckets]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, created }) => ({ Name: name, CreationDate: isoTime(created) }));
  return xmlReply("ListAllMyBucketsResult", { Owner: OWNER, Buckets: { Bucket: buckets } });
}

export async function createBucket(request: S3Request, store: Store): Promise<Reply> {
  const { bucket, region } = request;
  if (!BUCKET_NAME.test(bucket)) {
    throw new S3Error("InvalidBucketName", "The specified bucket is not valid.");
  }
  checkLocation(await receiveText(request), region);
  if (store.hasBucket(bucket)) {
    throw new S3Error(
      "BucketAlreadyOwnedByYou",
      "Your previous request to create the named bucket succeeded and you already own it.",
    );
  }
  store.commit({ op: "bucket", bucket, created: Date.now() });
  return { headers: { location: `/${bucket}` } };
}

export function headBucket({ bucket, region }: S3Request, store: Store): Reply {
  store.bucket(bucket);
  return { headers: { "x-amz-bucket-region": region } };
}

export function getBucketLocation({ bucket, region }: S3Request, store: Store): Reply {
  store.bucket(bucket);
  return xmlReply("LocationConstraint", region === FIRST_REGION ? undefined : region);
}

export function deleteBucket({ bucket }: S3Request, store: Store): Reply {
  if (store.bucket(bucket).objects.size > 0) {
    throw new S3Error("BucketNotEmpty", "The bucket you tried to delete is not empty");
  }
  store.commit({ op: "drop", bucket });
  return { status: 204 };
}

function checkLocation(body: string, region: string): void {
  if (body === "") return;
  const configuration = readXml(body);
  allowChildren(configuration, ["LocationConstraint"]);
  const location = childText(configuration, "LocationConstraint");
  if (location === undefined || location === region) return;
  throw new S3Error(
    "IllegalLocationConstraintException",
    `The ${location} location constraint is incompatible with this server's region ${region}.`,
  );
}
