/** Text of a parameter or an error as part of one line: it must not move the cursor of a terminal. */
import { stripVTControlCharacters } from "node:util";

const MOST_CHARACTERS = 500;

/** Breaks and tabs become spaces, escape sequences and other control characters disappear. */
export function oneLine(text: string): string {
  const flat = stripVTControlCharacters(text.slice(0, MOST_CHARACTERS))
    .replace(/[\n\r\t]+/g, " ")
    .replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, "");
  return text.length > MOST_CHARACTERS ? `${flat}…` : flat;
}
