/**
 * Writes the XML of S3's answers from plain values. Absent values (`undefined`) leave no element,
 * arrays repeat their element. It refuses nothing: control characters become character references,
 * as S3 itself writes them.
 */

export type XmlContent =
  | string
  | number
  | boolean
  | undefined
  | readonly XmlContent[]
  | { readonly [element: string]: XmlContent };

const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";
const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
const NAMED: Readonly<Record<string, string>> = {
  "<": "&lt;",
  ">": "&gt;",
  "&": "&amp;",
  '"': "&quot;",
};

/** A document of S3's namespace. */
export function xmlDocument(root: string, content: XmlContent): string {
  return `${DECLARATION}<${root} xmlns="${NAMESPACE}">${inner(content)}</${root}>`;
}

/** An error document, which has no namespace. */
export function xmlErrorDocument(content: XmlContent): string {
  return `${DECLARATION}${element("Error", content)}`;
}

function element(name: string, content: XmlContent): string {
  if (content === undefined) return "";
  if (isList(content)) return content.map((item) => element(name, item)).join("");
  return `<${name}>${inner(content)}</${name}>`;
}

function inner(content: XmlContent): string {
  if (content === undefined) return "";
  if (typeof content !== "object") return escape(String(content));
  return Object.entries(content)
    .map(([name, value]) => element(name, value))
    .join("");
}

function isList(content: XmlContent): content is readonly XmlContent[] {
  return Array.isArray(content);
}

function escape(text: string): string {
  return text.replaceAll(
    /[<>&"\p{Cc}]/gu,
    (char) => NAMED[char] ?? `&#x${char.charCodeAt(0).toString(16)};`,
  );
}
