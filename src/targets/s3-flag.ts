/**
 * A flag: an empty object, `_SUCCESS` unless named otherwise, that says that everything else under its
 * prefix is there. Hadoop and Spark write such flags, and read them. It stays empty, because who loads
 * the prefix as a whole reads it, too.
 */
import type { Target, TargetHandle } from "../core/target.ts";
import { checkKey, checkPrefix } from "./s3-key.ts";
import { s3Object } from "./s3-object.ts";

export interface S3Flag extends TargetHandle {
  /** What it is about. */
  readonly prefix: string;
  /** The key of the flag itself. */
  readonly key: string;
  /** Writes it, after everything else. Raised twice is raised. Only a running attempt may. */
  raise(): Promise<void>;
  /** Deletes the flag, and nothing else under the prefix. */
  remove(): Promise<void>;
}

export const FLAG_NAME = "_SUCCESS";

/**
 * The flag of a prefix.
 *
 * ```ts
 * output: ({ date }) => s3Flag(`exports/${date}/`),
 * ```
 */
export function s3Flag(prefix: string, options: { readonly name?: string } = {}): Target<S3Flag> {
  const { name = FLAG_NAME } = options;
  checkPrefix(prefix, "s3Flag");
  checkKey(prefix + name, "s3Flag");
  return {
    kind: "s3-flag",
    bind(binding) {
      const flag = s3Object(prefix + name).bind(binding);
      return {
        prefix,
        key: flag.key,
        get location() {
          return flag.location;
        },
        exists: () => flag.exists(),
        remove: () => flag.remove(),
        async raise() {
          // Not an empty text: the SDK takes that for a stream of unknown length, and warns.
          await flag.write(Buffer.alloc(0));
        },
      };
    },
  };
}
