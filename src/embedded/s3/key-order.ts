/**
 * The keys of a bucket in UTF-8 byte order. Adding is cheap and sorting waits for the next list,
 * so loading a million keys sorts once and a list after one new key merges instead of sorting.
 */
import { compareUtf8 } from "./utf8-order.ts";

export class KeyOrder {
  #sorted: string[] = [];
  #added: string[] = [];
  #removed = new Set<string>();

  add(key: string): void {
    if (!this.#removed.delete(key)) this.#added.push(key);
  }

  remove(key: string): void {
    this.#removed.add(key);
  }

  /** All keys, in order. The array is valid until the next change. */
  all(): readonly string[] {
    if (this.#removed.size > 0) {
      this.#sorted = this.#sorted.filter((key) => !this.#removed.has(key));
      this.#added = this.#added.filter((key) => !this.#removed.has(key));
      this.#removed.clear();
    }
    if (this.#added.length > 0) {
      // TimSort sees two sorted runs here and merges them.
      this.#sorted = this.#sorted.concat(this.#added.sort(compareUtf8)).sort(compareUtf8);
      this.#added = [];
    }
    return this.#sorted;
  }
}
