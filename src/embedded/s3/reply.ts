/**
 * What an operation answers, as data; and the one place that writes it to a socket. A reply to
 * HEAD, and a 304, never has a body.
 */
import type { ServerResponse } from "node:http";
import type { S3Error } from "./error.ts";
import { type XmlContent, xmlDocument, xmlErrorDocument } from "./xml.ts";

export interface Reply {
  /** 200 unless given. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly xml?: { readonly root: string; readonly content: XmlContent };
  /** Streams the body of an object; it always runs, so that it can let go of what it holds. */
  readonly send?: (response: ServerResponse) => Promise<void>;
}

/** An answer with an XML document. */
export function xmlReply(
  root: string,
  content: XmlContent,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return { xml: { root, content }, headers };
}

/** Writes a reply. */
export async function writeReply(response: ServerResponse, reply: Reply): Promise<void> {
  setHead(response, reply.status ?? 200, reply.headers ?? {});
  if (reply.send !== undefined) return reply.send(response);
  if (reply.xml === undefined) {
    response.end();
    return;
  }
  writeXml(response, xmlDocument(reply.xml.root, reply.xml.content));
}

/** Writes an error. */
export function writeError(
  response: ServerResponse,
  error: S3Error,
  request: { readonly id: string; readonly resource: string; readonly isHead: boolean },
): void {
  setHead(response, error.status, error.headers);
  if (request.isHead || error.status === 304) {
    response.end();
    return;
  }
  const { code, message } = error;
  const content = {
    Code: code,
    Message: message,
    Resource: request.resource,
    RequestId: request.id,
  };
  writeXml(response, xmlErrorDocument(content));
}

function setHead(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string | number>>,
): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}

function writeXml(response: ServerResponse, document: string): void {
  response.setHeader("content-type", "application/xml");
  response.setHeader("content-length", Buffer.byteLength(document));
  response.end(document);
}
