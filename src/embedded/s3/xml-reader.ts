/**
 * Reads the small XML bodies that S3 clients send (CreateBucket, DeleteObjects,
 * CompleteMultipartUpload). Elements and text only: document types, processing instructions and
 * unbalanced tags are answered MalformedXML, so no entity tricks can enter.
 */
import { S3Error } from "./error.ts";

export interface XmlElement {
  readonly name: string;
  readonly children: readonly XmlElement[];
  /** The text directly inside, entities resolved. */
  readonly text: string;
}

interface OpenElement {
  readonly name: string;
  readonly children: XmlElement[];
  text: string;
}

const TOKEN =
  /<\?xml[^>]*\?>|<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<(\/?)([\w:.-]+)([^<>]*?)(\/?)>|([^<]+)/y;
const ENTITIES: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  amp: "&",
  quot: '"',
  apos: "'",
};

/** The root element of a document. */
export function readXml(source: string): XmlElement {
  const document: OpenElement = { name: "", children: [], text: "" };
  const open: OpenElement[] = [document];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < source.length) {
    const token = TOKEN.exec(source);
    const current = open.at(-1);
    if (token === null || current === undefined) throw malformed();
    const [, cdata, closing, name, , empty, text] = token;
    if (text !== undefined) current.text += resolveEntities(text);
    else if (cdata !== undefined) current.text += cdata;
    else if (name !== undefined && closing === "/") closeElement(open, name);
    else if (name !== undefined) {
      open.push({ name, children: [], text: "" });
      if (empty === "/") closeElement(open, name);
    }
  }
  const root = document.children[0];
  if (open.length !== 1 || root === undefined || document.children.length > 1) throw malformed();
  return root;
}

/** The text of the only child of that name, or undefined. */
export function childText(element: XmlElement, name: string): string | undefined {
  return element.children.find((child) => child.name === name)?.text.trim();
}

/** Answers NotImplemented if the element holds a child that is not listed: nothing is ignored. */
export function allowChildren(element: XmlElement, names: readonly string[]): void {
  const unknown = element.children.find((child) => !names.includes(child.name));
  if (unknown === undefined) return;
  throw new S3Error("NotImplemented", `<${unknown.name}> in <${element.name}> is not implemented.`);
}

function closeElement(open: OpenElement[], name: string): void {
  const closed = open.pop();
  const parent = open.at(-1);
  if (closed === undefined || parent === undefined || closed.name !== name) throw malformed();
  parent.children.push(closed);
}

function resolveEntities(text: string): string {
  return text.replaceAll(/&([^;\s]*);?/g, (_, entity: string) => {
    const named = ENTITIES[entity];
    if (named !== undefined) return named;
    const reference = /^#(?:x([0-9a-f]{1,6})|(\d{1,7}))$/i.exec(entity);
    const point = Number.parseInt(reference?.[1] ?? reference?.[2] ?? "", reference?.[1] ? 16 : 10);
    if (!(point <= 0x10_ff_ff)) throw malformed();
    return String.fromCodePoint(point);
  });
}

function malformed(): S3Error {
  return new S3Error(
    "MalformedXML",
    "The XML you provided was not well-formed or did not validate against our published schema",
  );
}
