/**
 * The id of a task: byte for byte what Luigi computes, so that marker rows which Luigi wrote still
 * count. Luigi runs on Python: text is counted, cut and sorted by code points, not by UTF-16 units.
 * Does not check family names, and does not choose which parameters are significant.
 */
import { hash } from "node:crypto";
import { pythonJsonString } from "./python-json.ts";

const NAMES_IN_SUMMARY = 3;
const CODE_POINTS_OF_A_VALUE = 16;
const HASH_LENGTH = 10;

/**
 * `Family_v1_v2_v3_hash10`, from the serialised texts of the significant parameters.
 *
 * @example
 * taskId("DailyCopy", { date: "2024-02-29" }); // "DailyCopy_2024_02_29_3c0c2f6b36"
 */
export function taskId(family: string, params: Readonly<Record<string, string>>): string {
  const names = Object.keys(params).sort(compareCodePoints);
  const members: string[] = [];
  const summary: string[] = [];
  for (const name of names) {
    const text = params[name] ?? "";
    members.push(`${pythonJsonString(name)}:${pythonJsonString(text)}`);
    if (summary.length < NAMES_IN_SUMMARY) summary.push(abbreviate(text));
  }
  const digest = hash("md5", `{${members.join(",")}}`, "hex").slice(0, HASH_LENGTH);
  return [family, summary.join("_"), digest].join("_");
}

/** The first 16 code points, each outside of A-Z, a-z, 0-9 and _ replaced by one underscore. */
function abbreviate(text: string): string {
  // Twice as many UTF-16 units always hold enough code points, and very long texts stay cheap.
  const start = text.slice(0, CODE_POINTS_OF_A_VALUE * 2);
  if (!/\W/.test(start)) return start.slice(0, CODE_POINTS_OF_A_VALUE);
  // The u flag makes one underscore of a surrogate pair, and one of a lone surrogate.
  return start.replace(/[^A-Za-z0-9_]/gu, "_").slice(0, CODE_POINTS_OF_A_VALUE);
}

/** Order by code points; `<` on strings puts U+1F600 before U+FF5E because its first unit is lower. */
export function compareCodePoints(a: string, b: string): number {
  for (let index = 0; index < a.length && index < b.length; ) {
    const left = a.codePointAt(index) ?? 0;
    const right = b.codePointAt(index) ?? 0;
    if (left !== right) return left - right;
    index += left > 0xffff ? 2 : 1;
  }
  return a.length - b.length;
}
