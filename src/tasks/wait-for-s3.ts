/** Waits for what somebody else puts into the bucket. It writes nothing, and never runs. */
import { defineExternal } from "../core/define.ts";
import { FLAG_NAME, s3Flag } from "../targets/s3-flag.ts";
import { isPrefix } from "../targets/s3-key.ts";
import { s3Object } from "../targets/s3-object.ts";
import { keyParam, placeParam } from "./s3-params.ts";

/**
 * Complete when the object `path` exists, or, when `path` is a prefix, the flag below it: `_SUCCESS`, or
 * the name that `flag` gives. Objects below the prefix prove nothing: more may follow.
 */
export const WaitForS3 = defineExternal({
  name: "WaitForS3",
  params: { path: placeParam(), flag: keyParam().default(FLAG_NAME) },
  output: ({ path, flag }) => (isPrefix(path) ? s3Flag(path, { name: flag }) : s3Object(path)),
  queue: "copy",
});
