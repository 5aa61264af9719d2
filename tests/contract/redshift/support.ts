/** A session with the stand-in, and a bucket that it reads and writes. */
import { once } from "node:events";
import { createConnection } from "node:net";
import { text } from "node:stream/consumers";
import {
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { Client, type ClientConfig, type QueryResult } from "pg";
import { Readable } from "node:stream";
import type { S3Settings } from "../../../src/embedded/bucket.ts";
import { afterEveryFile } from "../../support/closing.ts";
import { freshBucket, freshRedshift } from "../../support/services.ts";

export const ROLE = "IAM_ROLE 'arn:aws:iam::123456789012:role/loader'";

type Row = Record<string, unknown>;

export interface Redshift {
  readonly url: string;
  readonly postgresUrl: string;
  readonly client: Client;
  readonly notices: string[];
  rows(sql: string): Promise<readonly Row[]>;
  /** The error of a statement that must fail, as `code message`. */
  failure(sql: string): Promise<string>;
  /** Asks the server to cancel what the session runs, as a client does: on a connection of its own. */
  cancel(): Promise<void>;
  /** Another session with the same database. */
  another(options?: ClientConfig): Promise<Redshift>;
}

const opened: Client[] = [];
afterEveryFile("clients", async () => {
  await Promise.all(opened.splice(0).map((client) => client.end()));
});

export async function openRedshift(): Promise<Redshift> {
  return await connect(await freshRedshift());
}

async function connect(
  urls: { readonly url: string; readonly postgresUrl: string },
  options: ClientConfig = {},
): Promise<Redshift> {
  const connectionString = urls.url.replace("redshift:", "postgres:");
  const client = new Client({ connectionString, ...options });
  const notices: string[] = [];
  client.on("notice", ({ message }) => notices.push(message ?? ""));
  client.on("error", () => {});
  await client.connect();
  opened.push(client);
  return {
    ...urls,
    client,
    notices,
    rows: async (sql) => {
      const result: QueryResult | QueryResult[] = await client.query(sql);
      return (Array.isArray(result) ? result.at(-1) : result)?.rows ?? [];
    },
    failure: async (sql) => {
      try {
        await client.query(sql);
      } catch (error) {
        return error instanceof Error && "code" in error
          ? `${String(error.code)} ${error.message}`
          : String(error);
      }
      throw new Error(`expected a failure of: ${sql}`);
    },
    cancel: async () => {
      const { hostname, port } = new URL(connectionString);
      const request = Buffer.alloc(16);
      request.writeInt32BE(16, 0);
      request.writeInt32BE(80_877_102, 4);
      // `pg` keeps both, and its types do not say so.
      request.writeInt32BE(Number(Reflect.get(client, "processID")), 8);
      request.writeInt32BE(Number(Reflect.get(client, "secretKey")), 12);
      const socket = createConnection(Number(port), hostname).end(request).resume();
      await once(socket, "close");
    },
    another: (more) => connect(urls, more),
  };
}

export interface Bucket {
  readonly settings: S3Settings;
  readonly name: string;
  put(key: string, body: string | Buffer): Promise<void>;
  get(key: string): Promise<string>;
  bytes(key: string): Promise<Buffer>;
  keys(prefix: string): Promise<readonly string[]>;
}

export async function openBucket(): Promise<Bucket> {
  const settings = await freshBucket();
  const { endpoint, region, accessKeyId, secretAccessKey, bucket: Bucket } = settings;
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  const body = async (Key: string): Promise<Readable> => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
    if (!(Body instanceof Readable)) throw new Error(`${Key} has no body`);
    return Body;
  };
  return {
    settings,
    name: Bucket,
    put: async (Key, Body) => {
      await client.send(new PutObjectCommand({ Bucket, Key, Body }));
    },
    get: async (key) => await text(await body(key)),
    bytes: async (key) => Buffer.concat(await (await body(key)).toArray()),
    keys: async (Prefix) => {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket, Prefix }));
      return Contents.map(({ Key = "" }) => Key);
    },
  };
}
