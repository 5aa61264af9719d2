/** What breaks in S3 breaks the attempt at worst, says so clearly, and leaves nothing behind. */
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { Temporal } from "temporal-polyfill";
import { beforeAll, expect, test } from "vitest";
import { PermanentError, SluiceError, UnreachableError } from "../../../src/core/errors.ts";
import {
  type OpenedStores,
  openStores,
  type StoreSettings,
} from "../../../src/stores/open-stores.ts";
import type { S3Settings } from "../../../src/stores/s3/client.ts";
import { sweepStaleUploads } from "../../../src/targets/sweep-stale-uploads.ts";
import { copyTableToS3, TableCopyToS3 } from "../../../src/tasks/copy-table-to-s3.ts";
import { LoadTable } from "../../../src/tasks/load-table.ts";
import {
  administer,
  attempt,
  freshStores,
  keysOf,
  opened,
  openUploads,
  outputsOf,
  runTask,
} from "./data-stores.ts";
import { proxied } from "../../support/proxied.ts";
import type { TcpProxy } from "../../support/tcp-proxy.ts";

const date = Temporal.PlainDate.from("2026-11-21");
const CANARY = "canary-7f3a91";

let stores: OpenedStores;
let settings: StoreSettings;
let s3: S3Settings;

beforeAll(async () => {
  const fresh = await freshStores();
  ({ stores, settings } = fresh);
  if (settings.s3 === undefined) throw new Error("no bucket");
  s3 = settings.s3;
  await administer(
    fresh.url,
    `CREATE TABLE small AS SELECT n AS id FROM generate_series(1, 10) AS n;
     CREATE TABLE noise AS SELECT n AS id, md5(n::text) || md5((-n)::text) AS words
       FROM generate_series(1, 400000) AS n`,
  );
});

async function rejection(work: Promise<unknown>): Promise<Error> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("it did not fail");
}

async function throughProxy(): Promise<{ proxy: TcpProxy; stores: OpenedStores }> {
  const { proxy, url } = await proxied(s3.endpoint ?? "");
  return { proxy, stores: opened({ ...settings, s3: { ...s3, endpoint: url } }) };
}

const dumpWith = (change: Partial<S3Settings>) =>
  rejection(
    runTask(
      TableCopyToS3({ table: "small", date }),
      opened({ ...settings, s3: { ...s3, ...change } }),
    ),
  );

test("a wrong secret, a wrong key, a bucket that is not there: each says what to correct", async () => {
  const shown: unknown[] = [openStores({ s3: { ...s3, secretAccessKey: CANARY } }).s3];
  const errors: [Partial<S3Settings>, RegExp][] = [
    [{ secretAccessKey: CANARY }, /SignatureDoesNotMatch .*Check the access key and its secret/],
    [
      { accessKeyId: "AKIDNOBODY", secretAccessKey: CANARY },
      /InvalidAccessKeyId .*Check the access key/,
    ],
    [{ bucket: "no-such-bucket" }, /bucket no-such-bucket: .*there is no such bucket/],
  ];
  for (const [change, message] of errors) {
    const error = await dumpWith(change);
    expect(error).toBeInstanceOf(UnreachableError);
    expect(error.message).toMatch(message);
    shown.push(error);
  }
  for (const each of shown) {
    expect(inspect(each, { depth: 12, showHidden: true })).not.toContain(CANARY);
    expect(JSON.stringify(each)).not.toContain(CANARY);
  }
});

test("whether a dataset exists cannot be answered with wrong credentials: it is no 'missing'", async () => {
  const refused = opened({ ...settings, s3: { ...s3, secretAccessKey: CANARY } });
  const output = outputsOf(TableCopyToS3({ table: "small", date }), refused);
  expect(await rejection(output.exists())).toBeInstanceOf(UnreachableError);
});

test("S3 that is down is unreachable", async () => {
  const error = await dumpWith({ endpoint: "http://127.0.0.1:9" });
  expect(error).toBeInstanceOf(UnreachableError);
  expect(error.message).toMatch(/in bucket test-\w+: S3 cannot be reached/);
});

test("an upload whose connections are cut is taken up by the SDK; the dataset is whole", async () => {
  const { proxy, stores: cut } = await throughProxy();
  let cuts = 0;
  let sent = 0;
  proxy.rules = {
    onClient: (bytes, link) => {
      sent += bytes.length;
      if (sent < 4_000_000 || cuts === 2) return;
      sent = 0;
      cuts++;
      link.cut();
    },
  };
  const output = outputsOf(TableCopyToS3({ table: "noise", date }), cut, { attempt: attempt() });
  await copyTableToS3(cut.source, "noise", output, { lanes: 1 });
  expect(cuts).toBe(2);
  expect((await output.manifest()).dump.rows).toBe(400000);
  await runTask(LoadTable({ table: "noise", date, into: "noise_1" }), stores);
});

test("an upload that cannot end fails the attempt and is aborted in S3", async () => {
  const { proxy, stores: cut } = await throughProxy();
  const day = date.add({ days: 1 });
  const task = TableCopyToS3({ table: "noise", date: day });
  let completing = 0;
  proxy.rules = {
    onClient: (bytes, link) => {
      if (!/^POST \S+uploadId=/.test(bytes.toString("latin1"))) return;
      completing++;
      link.cut();
    },
  };
  const error = await rejection(runTask(task, cut));
  expect(completing).toBeGreaterThan(1);
  expect(error).toBeInstanceOf(UnreachableError);
  expect(await openUploads(stores)).toEqual([]);
  expect(await keysOf(stores, "dumps/noise/2026-11-22/")).toEqual([]);
});

/** Why it failed; an abort gives its own reason. */
async function reasonOf(work: Promise<unknown>): Promise<string> {
  return (await rejection(work)).message;
}

/** An answer of S3's in the middle of an upload, to a PUT of a part. */
function refusal(status: string, code: string): string {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  return `HTTP/1.1 ${status}\r\nContent-Type: application/xml\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
}

/** Answers the parts of an upload in the place of S3, as often as `times`; gives how often it did. */
function answerParts(proxy: TcpProxy, text: string, times: number): () => number {
  let answered = 0;
  proxy.rules = {
    onClient: (bytes, link) => {
      const isPart = /^PUT \S+partNumber=/.test(bytes.toString("latin1", 0, 2000));
      if (!isPart || answered === times) return true;
      answered++;
      link.answer(text);
      return false;
    },
  };
  return () => answered;
}

test("S3 that says 503 for a while is asked again; the dataset is whole", async () => {
  const { proxy, stores: slow } = await throughProxy();
  const answered = answerParts(proxy, refusal("503 Slow Down", "SlowDown"), 2);
  const task = TableCopyToS3({ table: "noise", date: date.add({ days: 10 }) });
  expect(await runTask(task, slow)).toMatchObject({ rows: 400000 });
  expect(answered()).toBe(2);
  const load = LoadTable({ table: "noise", date: date.add({ days: 10 }), into: "noise_10" });
  expect(await runTask(load, stores)).toMatchObject({ rows: 400000 });
});

test("S3 that goes on saying 503 fails the attempt; the rerun has every row", async () => {
  const { proxy, stores: down } = await throughProxy();
  const task = TableCopyToS3({ table: "noise", date: date.add({ days: 11 }) });
  const answered = answerParts(proxy, refusal("503 Slow Down", "SlowDown"), 1000);
  const error = await rejection(runTask(task, down));
  expect(answered()).toBeGreaterThan(2);
  expect(error).not.toBeInstanceOf(PermanentError);
  expect(error.message).toMatch(/S3 says SlowDown \(HTTP 503\)/);
  proxy.rules = {};
  expect(await openUploads(stores)).toEqual([]);
  expect(await keysOf(stores, "dumps/noise/2026-12-02/")).toEqual([]);
  expect(await runTask(task, down)).toMatchObject({ rows: 400000 });
});

test("a permission that is taken away in the middle is no matter of trying again", async () => {
  const { proxy, stores: refused } = await throughProxy();
  const task = TableCopyToS3({ table: "noise", date: date.add({ days: 12 }) });
  const answered = answerParts(proxy, refusal("403 Forbidden", "AccessDenied"), 1000);
  const error = await rejection(runTask(task, refused));
  expect(answered()).toBeLessThan(5);
  expect(error).toBeInstanceOf(UnreachableError);
  expect(error.message).toMatch(/AccessDenied .*lack the permission/);
  proxy.rules = {};
  expect(await openUploads(stores)).toEqual([]);
  expect(await outputsOf(task, stores).exists()).toBe(false);
});

test("S3 that stops answering for a moment delays a dump, and an abort does not wait for it", async () => {
  const { proxy, stores: slow } = await throughProxy();
  const task = TableCopyToS3({ table: "noise", date: date.add({ days: 13 }) });
  let parts = 0;
  const nextPart = new Promise<void>((resolve) => {
    proxy.rules = {
      onClient: (bytes) => {
        if (!/^PUT \S+partNumber=/.test(bytes.toString("latin1", 0, 2000)) || ++parts > 1) return;
        proxy.blackHole();
        resolve();
      },
    };
  });
  const dump = runTask(task, slow);
  await nextPart;
  await sleep(300);
  proxy.thaw();
  expect(await dump).toMatchObject({ rows: 400000 });

  const abort = new AbortController();
  const next = TableCopyToS3({ table: "noise", date: date.add({ days: 14 }) });
  const failed = reasonOf(runTask(next, slow, { signal: abort.signal }));
  parts = 0;
  proxy.rules = {
    onClient: (bytes) => {
      if (!/^PUT \S+partNumber=/.test(bytes.toString("latin1", 0, 2000)) || ++parts > 1) return;
      proxy.freeze();
      abort.abort(new Error("stop"));
    },
  };
  expect(await failed).toBe("stop");
  expect(parts).toBeGreaterThan(0);
  expect(await openUploads(stores)).toEqual([]);
});

test("a body that breaks off twice is read on from there, to the same bytes", async () => {
  const { proxy, stores: cut } = await throughProxy();
  const body = Buffer.alloc(9_000_000, "0123456789abcdef");
  await stores.s3.put("long", body);
  let got = 0;
  let cuts = 0;
  const requests: string[] = [];
  proxy.rules = {
    onClient: (bytes) => requests.push(bytes.toString("latin1")),
    onServer: (bytes, link) => {
      got += bytes.length;
      if (got < 3_000_000 || cuts === 2) return true;
      got = 0;
      cuts++;
      link.cut();
      return false;
    },
  };
  const chunks: Buffer[] = [];
  for await (const chunk of cut.s3.stream("long")) chunks.push(chunk);
  expect(Buffer.concat(chunks).equals(body)).toBe(true);
  expect(cuts).toBe(2);
  expect(requests.filter((request) => /range: bytes=\d{6,}-/i.test(request))).toHaveLength(2);
});

test("an object that is replaced while it is read is an error, never a mixture", async () => {
  const { proxy, stores: cut } = await throughProxy();
  await stores.s3.put("changing", Buffer.alloc(6_000_000, "a"));
  let replaced: Promise<unknown> | undefined;
  let got = 0;
  proxy.rules = {
    onServer: (bytes, link) => {
      got += bytes.length;
      if (got < 2_000_000 || replaced !== undefined) return true;
      replaced = stores.s3.put("changing", Buffer.alloc(6_000_000, "b"));
      void replaced.then(link.cut);
      return false;
    },
  };
  const read = async () => {
    for await (const chunk of cut.s3.stream("changing")) expect(chunk.includes("b")).toBe(false);
  };
  expect(await rejection(read())).toMatchObject({ code: "S3_OBJECT_CHANGED" });
});

test("the manifest's PUT whose answer is lost: the attempt recognises its own commit", async () => {
  const { proxy, stores: cut } = await throughProxy();
  let puts = 0;
  let lost = 0;
  proxy.rules = {
    onClient: (bytes) => {
      if (/^PUT \S+manifest\.json/.test(bytes.toString("latin1"))) puts++;
    },
    onServer: (_bytes, link) => {
      if (puts === 0 || lost > 0) return true;
      lost++;
      link.cut();
      return false;
    },
  };
  const task = TableCopyToS3({ table: "small", date });
  const own = attempt();
  expect(await runTask(task, cut, { attempt: own })).toMatchObject({ rows: 10 });
  expect(lost).toBe(1);
  expect(puts).toBeGreaterThan(1);
  const { dump, entries } = await outputsOf(task, stores).manifest();
  expect(dump.attempt).toBe(own.id);
  expect(await keysOf(stores, "dumps/small/2026-11-21/")).toHaveLength(entries.length + 1);
});

test("the sweep removes old leavings of dead attempts, and nothing else", async () => {
  const day = date.add({ days: 2 });
  const task = TableCopyToS3({ table: "small", date: day });
  await runTask(task, stores);
  const before = await keysOf(stores);
  await stores.s3.put("dumps/dead/2026-11-21/attempt-1/part-00000.csv.gz", "x");
  await stores.s3.put("dumps/small/2026-11-23/attempt-zombie/part-00000.csv.gz", "x");
  const body = new PassThrough();
  const dying = rejection(stores.s3.upload("dumps/dead/2026-11-21/attempt-2/a", body));
  body.write(Buffer.alloc(9_000_000));
  while ((await openUploads(stores)).length === 0) await sleep(20);

  const hour = 3_600_000;
  expect(await sweepStaleUploads(stores.s3, { olderThan: hour })).toEqual({
    uploads: 0,
    objects: 0,
  });
  const later = new Date(Date.now() + 2 * hour);
  expect(await sweepStaleUploads(stores.s3, { olderThan: hour, now: later })).toEqual({
    uploads: 1,
    objects: 2,
  });
  expect(await keysOf(stores)).toEqual(before);
  expect(await openUploads(stores)).toEqual([]);
  body.end();
  expect(await dying).toBeInstanceOf(SluiceError);
});
