/**
 * The table of operations: how each is recognised, and which query parameters and headers it
 * understands. What is not in this table is answered NotImplemented, so a client never believes
 * that something was honoured which was not.
 */
import {
  createBucket,
  deleteBucket,
  getBucketLocation,
  headBucket,
  listBuckets,
} from "./buckets.ts";
import { completeMultipartUpload } from "./complete-upload.ts";
import { READ_CONDITIONS, WRITE_CONDITIONS } from "./conditions.ts";
import { copyObject } from "./copy-object.ts";
import { COPY_SOURCE_HEADERS } from "./copy-source.ts";
import { deleteObject, deleteObjects } from "./delete-object.ts";
import { getObject, headObject, RESPONSE_OVERRIDES } from "./get-object.ts";
import { listObjects, listObjectsV2 } from "./list-objects.ts";
import { listMultipartUploads, listParts } from "./list-uploads.ts";
import {
  abortMultipartUpload,
  createMultipartUpload,
  uploadPart,
  uploadPartCopy,
} from "./multipart.ts";
import { STORED_HEADERS } from "./object-headers.ts";
import { putObject } from "./put-object.ts";
import type { Reply } from "./reply.ts";
import type { S3Request } from "./request.ts";
import type { Store } from "./store.ts";

export interface Operation {
  readonly name: string;
  readonly on: "service" | "bucket" | "object";
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** Query parameters that make a request this operation. */
  readonly requires?: readonly string[];
  /** Whether `x-amz-copy-source` makes a request this operation. */
  readonly copies?: boolean;
  /** Further query parameters it understands. */
  readonly query?: readonly string[];
  /** Headers with a meaning that it understands; `*` at the end stands for any rest. */
  readonly headers?: readonly string[];
  readonly handle: (request: S3Request, store: Store) => Reply | Promise<Reply>;
}

const BODY = ["x-amz-decoded-content-length", "x-amz-trailer"];
const READ = [...READ_CONDITIONS, "range", "x-amz-checksum-mode"];
const LIST = ["prefix", "delimiter", "max-keys", "encoding-type"];

export const OPERATIONS: readonly Operation[] = [
  { name: "ListBuckets", on: "service", method: "GET", handle: listBuckets },

  { name: "CreateBucket", on: "bucket", method: "PUT", headers: BODY, handle: createBucket },
  { name: "HeadBucket", on: "bucket", method: "HEAD", handle: headBucket },
  { name: "DeleteBucket", on: "bucket", method: "DELETE", handle: deleteBucket },
  {
    name: "GetBucketLocation",
    on: "bucket",
    method: "GET",
    requires: ["location"],
    handle: getBucketLocation,
  },
  {
    name: "ListObjectsV2",
    on: "bucket",
    method: "GET",
    requires: ["list-type"],
    query: [...LIST, "continuation-token", "start-after", "fetch-owner"],
    handle: listObjectsV2,
  },
  {
    name: "ListMultipartUploads",
    on: "bucket",
    method: "GET",
    requires: ["uploads"],
    query: ["prefix", "key-marker", "upload-id-marker", "max-uploads", "encoding-type"],
    handle: listMultipartUploads,
  },
  {
    name: "ListObjects",
    on: "bucket",
    method: "GET",
    query: [...LIST, "marker"],
    handle: listObjects,
  },
  {
    name: "DeleteObjects",
    on: "bucket",
    method: "POST",
    requires: ["delete"],
    headers: BODY,
    handle: deleteObjects,
  },

  {
    name: "GetObject",
    on: "object",
    method: "GET",
    query: RESPONSE_OVERRIDES,
    headers: READ,
    handle: getObject,
  },
  {
    name: "HeadObject",
    on: "object",
    method: "HEAD",
    query: RESPONSE_OVERRIDES,
    headers: READ,
    handle: headObject,
  },
  {
    name: "PutObject",
    on: "object",
    method: "PUT",
    headers: [...BODY, ...STORED_HEADERS, ...WRITE_CONDITIONS],
    handle: putObject,
  },
  {
    name: "CopyObject",
    on: "object",
    method: "PUT",
    copies: true,
    headers: [
      ...COPY_SOURCE_HEADERS,
      ...STORED_HEADERS,
      ...WRITE_CONDITIONS,
      "x-amz-metadata-directive",
      "x-amz-checksum-algorithm",
    ],
    handle: copyObject,
  },
  {
    name: "DeleteObject",
    on: "object",
    method: "DELETE",
    headers: ["if-match"],
    handle: deleteObject,
  },

  {
    name: "CreateMultipartUpload",
    on: "object",
    method: "POST",
    requires: ["uploads"],
    headers: [...STORED_HEADERS, "x-amz-checksum-algorithm", "x-amz-checksum-type"],
    handle: createMultipartUpload,
  },
  {
    name: "UploadPart",
    on: "object",
    method: "PUT",
    requires: ["uploadId", "partNumber"],
    headers: BODY,
    handle: uploadPart,
  },
  {
    name: "UploadPartCopy",
    on: "object",
    method: "PUT",
    requires: ["uploadId", "partNumber"],
    copies: true,
    headers: [...COPY_SOURCE_HEADERS, "x-amz-copy-source-range"],
    handle: uploadPartCopy,
  },
  {
    name: "ListParts",
    on: "object",
    method: "GET",
    requires: ["uploadId"],
    query: ["max-parts", "part-number-marker", "encoding-type"],
    handle: listParts,
  },
  {
    name: "CompleteMultipartUpload",
    on: "object",
    method: "POST",
    requires: ["uploadId"],
    headers: [...WRITE_CONDITIONS, "x-amz-checksum-type", "x-amz-mp-object-size"],
    handle: completeMultipartUpload,
  },
  {
    name: "AbortMultipartUpload",
    on: "object",
    method: "DELETE",
    requires: ["uploadId"],
    handle: abortMultipartUpload,
  },
];
