/**
 * CompleteMultipartUpload: checks the list of parts against what was uploaded and makes them one
 * object, in one record. Parts that the list leaves out are dropped.
 */
import { createHash } from "node:crypto";
import { receiveText } from "./body.ts";
import type { StoredObject, StoredPart, Upload } from "./catalog.ts";
import {
  CHECKSUM_ALGORITHMS,
  type Checksum,
  checksumElement,
  checksumElements,
  checksumHeader,
  combineChecksums,
  type ObjectChecksum,
} from "./checksums.ts";
import { writeCondition } from "./conditions.ts";
import { S3Error } from "./error.ts";
import { modifiedNow, quoteEtag } from "./object-headers.ts";
import { uploadOf } from "./multipart.ts";
import { type Reply, xmlReply } from "./reply.ts";
import type { Headers, S3Request } from "./request.ts";
import type { Store } from "./store.ts";
import { allowChildren, childText, readXml, type XmlElement } from "./xml-reader.ts";

const SMALLEST_PART = 5 * 1024 ** 2;
const CHECKSUM_ELEMENTS = CHECKSUM_ALGORITHMS.map(checksumElement);

interface ListedPart {
  readonly number: number;
  readonly etag: string;
  readonly checksums: readonly Checksum[];
}

export async function completeMultipartUpload(request: S3Request, store: Store): Promise<Reply> {
  const { bucket, key, headers } = request;
  const condition = writeCondition(headers);
  condition.before(store.findObject(bucket, key));
  // The checksum headers of this request are those of the object, not of the XML.
  const { signature } = request;
  const sha256 = /^[0-9a-f]{64}$/.test(signature.payload) ? { sha256: signature.payload } : {};
  const listed = parseParts(await receiveText(request, sha256));
  const upload = uploadOf(request, store);
  const parts = listed.map((part) => findPart(upload, part));
  if (parts.slice(0, -1).some((part) => part.blob.size < SMALLEST_PART)) {
    throw new S3Error(
      "EntityTooSmall",
      "Your proposed upload is smaller than the minimum allowed size",
    );
  }
  const object = assemble(upload, parts);
  checkWhole(headers, object);
  condition.atCommit(store.findObject(bucket, key));
  store.commit({ op: "complete", id: upload.id, object });
  return xmlReply("CompleteMultipartUploadResult", {
    Location: `http://${headers["host"]}${request.resource}`,
    Bucket: bucket,
    Key: key,
    ETag: quoteEtag(object.etag),
    ChecksumType: object.checksum?.type,
    ...checksumElements(object.checksum),
  });
}

function parseParts(body: string): readonly ListedPart[] {
  const root = readXml(body);
  allowChildren(root, ["Part"]);
  const parts = root.children.map(parsePart);
  if (root.name !== "CompleteMultipartUpload" || parts.length === 0) {
    throw new S3Error("MalformedXML", "You must specify at least one part");
  }
  if (parts.some(({ number }, index) => index > 0 && number <= (parts[index - 1]?.number ?? 0))) {
    throw new S3Error(
      "InvalidPartOrder",
      "The list of parts was not in ascending order. Parts must be ordered by part number.",
    );
  }
  return parts;
}

function parsePart(part: XmlElement): ListedPart {
  allowChildren(part, ["PartNumber", "ETag", ...CHECKSUM_ELEMENTS]);
  const number = Number(childText(part, "PartNumber"));
  const etag = childText(part, "ETag");
  if (!Number.isSafeInteger(number) || etag === undefined) {
    throw new S3Error("MalformedXML", "A Part takes a PartNumber and an ETag.");
  }
  const checksums = CHECKSUM_ALGORITHMS.flatMap((algorithm) => {
    const value = childText(part, checksumElement(algorithm));
    return value === undefined ? [] : [{ algorithm, value }];
  });
  return { number, etag: etag.replaceAll('"', ""), checksums };
}

function findPart({ parts, checksum }: Upload, listed: ListedPart): StoredPart {
  const part = parts.get(listed.number);
  const matches =
    part !== undefined &&
    part.etag === listed.etag &&
    listed.checksums.every(
      ({ algorithm, value }) =>
        part.checksum?.algorithm === algorithm && part.checksum.value === value,
    );
  if (!matches) {
    throw new S3Error(
      "InvalidPart",
      `Part ${listed.number} could not be found, or its entity tag or checksum does not match.`,
    );
  }
  if (checksum?.type === "COMPOSITE" && listed.checksums.length === 0) {
    throw new S3Error(
      "InvalidRequest",
      `The upload was created using a ${checksum.algorithm} checksum. The complete request must ` +
        `include the checksum for each part. It was missing for part ${listed.number}.`,
    );
  }
  return part;
}

function assemble(upload: Upload, parts: readonly StoredPart[]): StoredObject {
  const digests = createHash("md5");
  for (const part of parts) digests.update(part.etag, "hex");
  const checksum = checksumOfWhole(upload, parts);
  return {
    etag: `${digests.digest("hex")}-${parts.length}`,
    size: parts.reduce((total, part) => total + part.blob.size, 0),
    modified: modifiedNow(),
    headers: upload.headers,
    blobs: parts.map((part) => part.blob),
    ...(checksum === undefined ? {} : { checksum }),
  };
}

function checksumOfWhole(
  { checksum }: Upload,
  parts: readonly StoredPart[],
): ObjectChecksum | undefined {
  if (checksum === undefined) return undefined;
  const digests = parts.map((part) => ({
    value: part.checksum?.value ?? "",
    length: part.blob.size,
  }));
  return combineChecksums(checksum.algorithm, checksum.type, digests);
}

/** What the request says about the whole object. */
function checkWhole(headers: Headers, object: StoredObject): void {
  const size = headers["x-amz-mp-object-size"];
  if (size !== undefined && Number(size) !== object.size) {
    throw new S3Error(
      "InvalidRequest",
      `x-amz-mp-object-size is ${size}, but the parts sum up to ${object.size}.`,
    );
  }
  const type = headers["x-amz-checksum-type"];
  if (type !== undefined && type !== object.checksum?.type) {
    throw new S3Error("InvalidRequest", `The upload was not created with checksum type ${type}.`);
  }
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const value = headers[checksumHeader(algorithm)];
    if (value === undefined) continue;
    if (object.checksum?.algorithm === algorithm && object.checksum.value === value) continue;
    throw new S3Error("BadDigest", `The ${algorithm} you specified did not match the parts'.`);
  }
}
