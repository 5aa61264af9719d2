/**
 * One page of a listing, over keys in order: everything under a prefix, rolled up at a delimiter,
 * after a given key, up to a limit. Pure; it seeks instead of walking, so a page costs its own
 * length and not the bucket's.
 */
import { compareUtf8 } from "./utf8-order.ts";

export interface PageRequest {
  readonly prefix: string;
  /** Empty for none. */
  readonly delimiter: string;
  /** Only keys and common prefixes behind this one. */
  readonly after: string;
  readonly limit: number;
}

export interface KeyPage {
  readonly keys: readonly string[];
  readonly commonPrefixes: readonly string[];
  /** The last key or common prefix of the page if more follow; the next page's `after`. */
  readonly next?: string;
}

/** The page of sorted keys that a request asks for. */
export function keyPage(sorted: readonly string[], request: PageRequest): KeyPage {
  const { prefix, delimiter, after, limit } = request;
  const keys: string[] = [];
  const commonPrefixes: string[] = [];
  if (limit === 0) return { keys, commonPrefixes };
  let last = "";
  let index = firstIndex(sorted, (key) => compareUtf8(key, prefix) >= 0 && isBehind(key, after));
  for (;;) {
    const key = sorted[index];
    if (key === undefined || !key.startsWith(prefix)) return { keys, commonPrefixes };
    const common = commonPrefix(key, prefix, delimiter);
    const listed = common === undefined || isBehind(common, after);
    if (listed && keys.length + commonPrefixes.length === limit) {
      return { keys, commonPrefixes, next: last };
    }
    if (common === undefined) {
      keys.push(key);
      index += 1;
    } else {
      if (listed) commonPrefixes.push(common);
      index = firstIndex(sorted, (key) => compareUtf8(key, common) > 0 && !key.startsWith(common));
    }
    last = common ?? key;
  }
}

function isBehind(key: string, after: string): boolean {
  return after === "" || compareUtf8(key, after) > 0;
}

function commonPrefix(key: string, prefix: string, delimiter: string): string | undefined {
  if (delimiter === "") return undefined;
  const end = key.indexOf(delimiter, prefix.length);
  return end === -1 ? undefined : key.slice(0, end + delimiter.length);
}

/** The first index whose key passes a test that stays true from there on. */
function firstIndex(sorted: readonly string[], test: (key: string) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (test(sorted[middle] ?? "")) high = middle;
    else low = middle + 1;
  }
  return low;
}
