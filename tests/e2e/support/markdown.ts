/** Code blocks of a Markdown page. */

export interface CodeBlock {
  readonly language: string;
  readonly text: string;
}

/** The fenced blocks, in order. A fence inside a list may be indented. */
export function codeBlocks(markdown: string): readonly CodeBlock[] {
  const blocks = markdown.matchAll(/^( *)```(\w*)\n([^]*?)^\1```$/gm);
  return Array.from(blocks, ([, indent = "", language = "", text = ""]) => ({
    language,
    text: text.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
  }));
}

/** The commands of a shell block: comments and prompts left out, continued lines joined. */
export function commandsIn(text: string): readonly string[] {
  return text
    .replaceAll("\\\n", " ")
    .split("\n")
    .flatMap((line) => line.split(" && "))
    .map((line) =>
      line
        .replace(/^\$ /, "")
        .replace(/\s+#.*$/, "")
        .trim(),
    )
    .filter((line) => line !== "" && !line.startsWith("#"));
}
