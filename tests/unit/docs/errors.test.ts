/** docs/errors.md names every code that a task or a process can end with, and no other. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** `new PermanentError("CODE", …`, also of other classes and by way of a function, but for mistakes in usage. */
const BORN = /(\w+)\(\s*(?:\w+, [^"]*?, )?"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)",/g;
const MAKERS = /(?<!Usage)Error$|^Kind$|Found$|^super$|^onStall$/;
/** Codes that depend on something, like those that `codeFor` makes of SQLSTATEs. */
const CHOSEN = /return "([A-Z]+_[A-Z_]+)";|\? "([A-Z]+_[A-Z_]+)" : "([A-Z]+_[A-Z_]+)",/g;

function codesOf(text: string): string[] {
  const born = [...text.matchAll(BORN)].flatMap(([, maker = "", code = ""]) =>
    MAKERS.test(maker) ? [code] : [],
  );
  const chosen = [...text.matchAll(CHOSEN)].flatMap(([, ...codes]) => codes.filter(Boolean));
  return [...born, ...chosen];
}

test("the page and the source have the same codes", () => {
  const files = ["src", "workers", "dashboard"].flatMap((folder) =>
    readdirSync(`${root}${folder}`, { recursive: true, encoding: "utf8" }).map(
      (file) => `${folder}/${file}`,
    ),
  );
  // What the development stack says is said at its start, to who started it.
  const sources = files.filter((file) => file.endsWith(".ts") && !file.includes("/embedded/"));
  const inSource = sources.flatMap((file) => codesOf(readFileSync(`${root}${file}`, "utf8")));
  const rows = readFileSync(`${root}docs/errors.md`, "utf8").match(/^\| `[^|]*\|/gm) ?? [];
  const onPage = rows.flatMap((row) =>
    [...row.matchAll(/`([A-Z0-9_]+)`/g)].map(([, code]) => code),
  );
  expect(new Set(onPage)).toEqual(new Set(inSource));
  expect(onPage, "each once").toHaveLength(new Set(onPage).size);
});
