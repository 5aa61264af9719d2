/**
 * DeleteObject and DeleteObjects. Deleting what does not exist succeeds, as in S3.
 */
import { receiveText } from "./body.ts";
import { checkDeleteCondition } from "./conditions.ts";
import { S3Error } from "./error.ts";
import { declaredBody } from "./integrity.ts";
import { type Reply, xmlReply } from "./reply.ts";
import type { S3Request } from "./request.ts";
import type { Store } from "./store.ts";
import { allowChildren, childText, readXml } from "./xml-reader.ts";

const MOST_KEYS = 1000;

export function deleteObject({ bucket, key, headers }: S3Request, store: Store): Reply {
  const object = store.findObject(bucket, key);
  checkDeleteCondition(headers, object);
  if (object !== undefined) store.commit({ op: "delete", bucket, key });
  return { status: 204 };
}

export async function deleteObjects(request: S3Request, store: Store): Promise<Reply> {
  const { bucket } = request;
  store.bucket(bucket);
  const declared = declaredBody(request);
  if (declared.md5 === undefined && declared.checksum === undefined) {
    throw new S3Error(
      "InvalidRequest",
      "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
    );
  }
  const { keys, quiet } = parseDelete(await receiveText(request, declared));
  for (const key of keys) {
    if (store.findObject(bucket, key) !== undefined) store.commit({ op: "delete", bucket, key });
  }
  return xmlReply("DeleteResult", { Deleted: quiet ? [] : keys.map((key) => ({ Key: key })) });
}

function parseDelete(body: string): { keys: readonly string[]; quiet: boolean } {
  const root = readXml(body);
  allowChildren(root, ["Object", "Quiet"]);
  const keys = root.children
    .filter((child) => child.name === "Object")
    .map((object) => {
      allowChildren(object, ["Key"]);
      // Not trimmed: spaces around a key belong to it.
      return object.children[0]?.text ?? "";
    });
  if (root.name !== "Delete" || keys.length === 0 || keys.length > MOST_KEYS || keys.includes("")) {
    throw new S3Error("MalformedXML", `Delete takes 1 to ${MOST_KEYS} objects, each with a key.`);
  }
  return { keys, quiet: childText(root, "Quiet") === "true" };
}
