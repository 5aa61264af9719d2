/**
 * An independent Signature Version 4 client for what the SDK for JavaScript never sends: signed
 * chunks, signed trailers, made-up headers, wrong clocks, bodies cut in the middle.
 */
import { createHash, createHmac } from "node:crypto";
import { type Agent, request as httpRequest } from "node:http";
import { keys, region } from "./endpoint.ts";

const EMPTY = sha256("");

export interface RawRequest {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** Hash of the body, or what stands for it. Default: the body's own. */
  readonly payload?: string;
  readonly signedAt?: Date;
  /** Keeps the connection for a next request; default: a connection of its own. */
  readonly agent?: Agent;
  /** Makes the body from the request's signature, for chunks that continue it. */
  readonly bodyFrom?: (chain: SignatureChain) => Buffer;
}

export interface RawAnswer {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Signs and sends a request. */
export async function sendRaw(raw: RawRequest): Promise<RawAnswer> {
  const { method, headers = {}, body = Buffer.alloc(0), signedAt = new Date() } = raw;
  const url = new URL(raw.url);
  const timestamp = timestampOf(signedAt);
  const scope = `${timestamp.slice(0, 8)}/${region}/s3/aws4_request`;
  const payload = raw.payload ?? sha256(body);
  const signed: Record<string, string> = {
    ...headers,
    host: url.host,
    "x-amz-content-sha256": payload,
    "x-amz-date": timestamp,
  };
  const names = Object.keys(signed).sort();
  const query = url.search.slice(1).split("&").filter(Boolean).sort().map(withEquals).join("&");
  const canonical = [
    method,
    url.pathname,
    query,
    names.map((name) => `${name}:${signed[name]}\n`).join(""),
    names.join(";"),
    payload,
  ].join("\n");
  const chain = new SignatureChain(timestamp, scope);
  const signature = chain.sign("AWS4-HMAC-SHA256", [sha256(canonical)], { first: true });
  const authorization =
    `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope}, ` +
    `SignedHeaders=${names.join(";")}, Signature=${signature}`;
  const wire = raw.bodyFrom?.(chain) ?? body;
  return send(url, method, { headers: { ...signed, authorization }, wire, agent: raw.agent });
}

/** A URL that carries its own signature. Extra parameters are signed with it. */
export function presignedUrl(
  method: string,
  url: string,
  options: {
    readonly expiresIn?: number;
    readonly signedAt?: Date;
    readonly parameters?: Readonly<Record<string, string>>;
  } = {},
): string {
  const { expiresIn = 60, signedAt = new Date(), parameters = {} } = options;
  const { host, pathname } = new URL(url);
  const timestamp = timestampOf(signedAt);
  const scope = `${timestamp.slice(0, 8)}/${region}/s3/aws4_request`;
  const query = Object.entries({
    ...parameters,
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": `${keys.accessKeyId}/${scope}`,
    "X-Amz-Date": timestamp,
    "X-Amz-Expires": String(expiresIn),
    "X-Amz-SignedHeaders": "host",
  })
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .sort()
    .join("&");
  const canonical = [method, pathname, query, `host:${host}\n`, "host", "UNSIGNED-PAYLOAD"];
  const chain = new SignatureChain(timestamp, scope);
  const signature = chain.sign("AWS4-HMAC-SHA256", [sha256(canonical.join("\n"))], { first: true });
  return `${url}?${query}&X-Amz-Signature=${signature}`;
}

/** The chain of signatures from a request over its chunks to its trailers. */
export class SignatureChain {
  readonly #timestamp: string;
  readonly #scope: string;
  readonly #key: Buffer;
  #previous = "";

  constructor(timestamp: string, scope: string, secret: string = keys.secretAccessKey) {
    this.#timestamp = timestamp;
    this.#scope = scope;
    this.#key = scope
      .split("/")
      .reduce<Buffer>((key, part) => hmac(key, part), Buffer.from(`AWS4${secret}`));
  }

  sign(algorithm: string, hashes: readonly string[], { first = false } = {}): string {
    const previous = first ? [] : [this.#previous];
    const text = [algorithm, this.#timestamp, this.#scope, ...previous, ...hashes].join("\n");
    this.#previous = hmac(this.#key, text).toString("hex");
    return this.#previous;
  }

  /** A chunk as it goes over the wire. */
  chunk(data: Buffer): Buffer {
    const signature = this.sign("AWS4-HMAC-SHA256-PAYLOAD", [EMPTY, sha256(data)]);
    const head = `${data.length.toString(16)};chunk-signature=${signature}\r\n`;
    return Buffer.concat([Buffer.from(head), data, Buffer.from(data.length > 0 ? "\r\n" : "")]);
  }

  /** Signed trailers, which end the body. */
  trailers(pairs: Readonly<Record<string, string>>): Buffer {
    const lines = Object.entries(pairs).map(([name, value]) => `${name}:${value}`);
    const canonical = lines.map((line) => `${line}\n`).join("");
    const signature = this.sign("AWS4-HMAC-SHA256-TRAILER", [sha256(canonical)]);
    const all = [...lines, `x-amz-trailer-signature:${signature}`];
    return Buffer.from(`${all.join("\r\n")}\r\n\r\n`);
  }
}

function send(
  url: URL,
  method: string,
  options: {
    readonly headers: Record<string, string>;
    readonly wire: Buffer;
    readonly agent: Agent | undefined;
  },
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const { wire, agent = false } = options;
    const headers = { ...options.headers, "content-length": String(wire.length) };
    const request = httpRequest(url, { method, headers, agent });
    request.on("error", reject);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        const code = /<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? "";
        resolve({ status: response.statusCode ?? 0, code, headers: response.headers, body: text });
      });
    });
    request.end(wire);
  });
}

function timestampOf(time: Date): string {
  return time.toISOString().replaceAll(/[-:]|\.\d+/g, "");
}

function withEquals(pair: string): string {
  return pair.includes("=") ? pair : `${pair}=`;
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

export function sha256(data: string | Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}
