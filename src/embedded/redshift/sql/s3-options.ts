/** What the options of COPY and UNLOAD have in common: who reads or writes S3, compression, each given once. */

import { type Credentials, noCredentials, takeCredentials } from "./credentials.ts";
import type { Cursor } from "./cursor.ts";
import { OnceOnly } from "./option-values.ts";

export abstract class S3Options {
  protected readonly cursor: Cursor;
  protected readonly once = new OnceOnly();
  #credentials: Credentials | undefined;

  constructor(cursor: Cursor) {
    this.cursor = cursor;
  }

  /** Takes them all, in whatever order they come. */
  take(): void {
    while (!this.cursor.done) {
      if (!this.cursor.takeWords("WITH") && !this.#takeCredentials()) this.takeOption();
    }
  }

  /** Takes the next one, which is not about credentials. */
  protected abstract takeOption(): void;

  #takeCredentials(): boolean {
    const credentials = takeCredentials(this.cursor);
    if (credentials === undefined) return false;
    this.once.note("credentials");
    this.#credentials = credentials;
    return true;
  }

  protected access(): {
    readonly credentials: Credentials;
    readonly compression: "gzip" | "zstd" | undefined;
  } {
    if (this.#credentials === undefined) throw noCredentials();
    this.once.exclude("GZIP", "ZSTD");
    const zstd = this.once.has("ZSTD") ? "zstd" : undefined;
    return {
      credentials: this.#credentials,
      compression: this.once.has("GZIP") ? "gzip" : zstd,
    };
  }
}
