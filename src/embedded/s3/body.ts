/**
 * Takes in the body of a request, checked: to a blob, streaming, or to text for the small XML
 * bodies. A body that is cut, too long or not what it declared leaves nothing behind.
 */
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { BodyCheck, type BodyDigests } from "./body-check.ts";
import type { Blob } from "./catalog.ts";
import type { ChecksumAlgorithm } from "./checksums.ts";
import { S3Error } from "./error.ts";
import { type DeclaredBody, declaredBody } from "./integrity.ts";
import type { S3Request } from "./request.ts";
import type { Store } from "./store.ts";

const LARGEST_XML = 4 * 1024 ** 2;

export interface ReceivedBlob extends BodyDigests {
  readonly blob: Blob;
}

/** Streams the body of a request to a new blob. `Store.adopt` it, or it is garbage. */
export async function receiveBlob(request: S3Request, store: Store): Promise<ReceivedBlob> {
  const declared = declaredBody(request);
  if (declared.length === undefined) {
    throw new S3Error("MissingContentLength", "You must provide the Content-Length HTTP header.");
  }
  request.invitesBody();
  return writeBlob(store, bodyOf(request), new BodyCheck(declared, { md5: true }));
}

/** Streams bytes of the store itself to a new blob. */
export async function copyToBlob(
  store: Store,
  source: AsyncIterable<Buffer>,
  checksum: ChecksumAlgorithm | undefined,
): Promise<ReceivedBlob> {
  return writeBlob(store, source, new BodyCheck({}, { md5: true, checksum }));
}

/** The body as text. */
export async function receiveText(
  request: S3Request,
  declared: DeclaredBody = declaredBody(request),
): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  const memory = new Writable({
    write(chunk: Buffer, _, done) {
      size += chunk.length;
      chunks.push(chunk);
      done(size > LARGEST_XML ? new S3Error("EntityTooLarge", "The XML body is too large") : null);
    },
  });
  request.invitesBody();
  await pipeline(bodyOf(request), new BodyCheck(declared), memory);
  return Buffer.concat(chunks).toString("utf8");
}

/** The body's bytes. Whoever stops reading leaves the connection whole, for the answer. */
function bodyOf({ incoming }: S3Request): AsyncIterable<Buffer> {
  return incoming.iterator({ destroyOnReturn: false });
}

async function writeBlob(
  store: Store,
  source: AsyncIterable<Buffer>,
  check: BodyCheck,
): Promise<ReceivedBlob> {
  const { id, stream } = store.blobs.create();
  try {
    await pipeline(source, check, stream);
    return { ...check.digests, blob: { id, size: check.digests.size } };
  } catch (error) {
    await store.blobs.drop([{ id, size: 0 }]);
    throw error;
  }
}
