/**
 * PutObject: stores a body, if the write condition still holds when the last byte has arrived.
 */
import { receiveBlob } from "./body.ts";
import type { StoredObject } from "./catalog.ts";
import { objectChecksumHeaders } from "./checksums.ts";
import { writeCondition } from "./conditions.ts";
import { modifiedNow, quoteEtag, storedHeaders } from "./object-headers.ts";
import type { Reply } from "./reply.ts";
import type { S3Request } from "./request.ts";
import type { Store } from "./store.ts";

export async function putObject(request: S3Request, store: Store): Promise<Reply> {
  const { bucket, key } = request;
  const headers = storedHeaders(request.headers);
  const condition = writeCondition(request.headers);
  condition.before(store.findObject(bucket, key));
  const { blob, size, md5, checksum } = await receiveBlob(request, store);
  const object: StoredObject = {
    etag: md5,
    size,
    modified: modifiedNow(),
    headers,
    blobs: [blob],
    ...(checksum === undefined ? {} : { checksum: { ...checksum, type: "FULL_OBJECT" } }),
  };
  store.adopt(blob, () => {
    condition.atCommit(store.findObject(bucket, key));
    store.commit({ op: "put", bucket, key, object });
  });
  return { headers: { etag: quoteEtag(md5), ...objectChecksumHeaders(object.checksum) } };
}
