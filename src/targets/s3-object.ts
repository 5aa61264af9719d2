/**
 * One object in S3. It exists or it does not: an upload that dies half-way leaves nothing. It is created
 * only if there is none, so of several attempts exactly one writes it.
 */
import { PermanentError, SluiceError } from "../core/errors.ts";
import type { Binding, Target, TargetHandle } from "../core/target.ts";
import { checkKey } from "./s3-key.ts";

export interface S3Object extends TargetHandle {
  /** Relative to the bucket, as it was declared. */
  readonly key: string;
  /** The whole of it; it should be small. Throws `OBJECT_MISSING` when there is none. */
  read(): Promise<Buffer>;
  /**
   * Creates it, from a text or bytes that are not many. `ours` is false when there was one already with
   * another content: that stays. Only a running attempt may.
   */
  write(body: string | Buffer): Promise<{ readonly ours: boolean }>;
  /** Throws unless this is the running attempt, and it may commit right now. */
  confirmLease(): Promise<void>;
  remove(): Promise<void>;
}

/**
 * An object of the bucket, by its key.
 *
 * ```ts
 * output: ({ date }) => s3Object(`reports/${date}.json`),
 * ```
 */
export function s3Object(key: string): Target<S3Object> {
  checkKey(key, "s3Object");
  return { kind: "s3-object", bind: (binding) => bindObject(key, binding) };
}

function bindObject(key: string, { stores, attempt, signal }: Binding): S3Object {
  const handle: S3Object = {
    key,
    get location() {
      return stores.s3.url(key);
    },
    async exists() {
      return (await stores.s3.head(key)) !== undefined;
    },
    async read() {
      const body = await stores.s3.read(key, { signal });
      if (body !== undefined) return body;
      throw new SluiceError(
        "OBJECT_MISSING",
        `there is no object ${handle.location}. Run the task that writes it.`,
      );
    },
    async write(body) {
      await handle.confirmLease();
      if ((await stores.s3.put(key, body, { ifAbsent: true, signal })) === "written") {
        return { ours: true };
      }
      // The SDK repeats a PUT whose answer was lost, so what is there may be ours.
      const there = await stores.s3.read(key, { signal });
      return { ours: there !== undefined && Buffer.from(body).equals(there) };
    },
    async confirmLease() {
      if (attempt === undefined) {
        throw new PermanentError(
          "NOT_IN_ATTEMPT",
          `${handle.location} can only be written by the running attempt of its task`,
        );
      }
      await attempt.confirmLease();
    },
    async remove() {
      await stores.s3.delete([key]);
    },
  };
  return handle;
}
