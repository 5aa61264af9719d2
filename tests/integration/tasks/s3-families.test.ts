/** The S3 families: manifests, copies, deletions, waiting. They need no database. */
import { Readable } from "node:stream";
import type { S3Client } from "@aws-sdk/client-s3";
import { Temporal } from "temporal-polyfill";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { missingOutputs } from "../../../src/core/target.ts";
import type { Task } from "../../../src/core/task.ts";
import type { S3Settings } from "../../../src/embedded/bucket.ts";
import { createS3Client } from "../../../src/stores/s3/client.ts";
import { copyObject } from "../../../src/stores/s3/copy-object.ts";
import type { OpenedStores } from "../../../src/stores/open-stores.ts";
import { copyInS3, S3Copy } from "../../../src/tasks/s3-copy.ts";
import { deleteFromS3, S3Delete } from "../../../src/tasks/s3-delete.ts";
import { S3Manifest } from "../../../src/tasks/s3-manifest.ts";
import { WaitForS3 } from "../../../src/tasks/wait-for-s3.ts";
import { proxied } from "../../support/proxied.ts";
import { freshBucket } from "../../support/services.ts";
import { keysOf, opened } from "../data/data-stores.ts";
import { runTask } from "./warehouses.ts";

const date = Temporal.PlainDate.from("2026-11-21");
const { signal } = new AbortController();

let settings: S3Settings;
let stores: OpenedStores;
let client: S3Client;

beforeAll(async () => {
  settings = await freshBucket();
  client = createS3Client(settings);
});
afterAll(() => client.destroy());

/** Each test has a part of the bucket of its own. */
let tests = 0;
beforeEach(() => {
  stores = opened({ s3: { ...settings, prefix: `project-${++tests}` } });
});

const run = (task: Task) => runTask(task, stores);
const isComplete = async (task: Task) =>
  (await missingOutputs({ task, stores, signal })).length === 0;

async function put(...keys: readonly string[]): Promise<void> {
  await Promise.all(keys.map((key) => stores.s3.put(key, `content of ${key}`)));
}

async function textOf(key: string): Promise<string | undefined> {
  return (await stores.s3.read(key))?.toString();
}

test("S3Manifest lists the files below a prefix, in the form that COPY reads, once", async () => {
  await put("in/b.csv", "in/a/c.csv", "in/_SUCCESS", "in/.tmp.csv", "in/notes.txt", "inside.csv");
  const task = S3Manifest({ prefix: "in/", manifest: "in/load.json", suffix: ".csv" });
  expect(await isComplete(task)).toBe(false);
  expect(await run(task)).toEqual({ files: 2, bytes: 40 });
  const base = `s3://${settings.bucket}/project-${tests}`;
  expect(JSON.parse((await textOf("in/load.json")) ?? "")).toEqual({
    entries: [
      { url: `${base}/in/a/c.csv`, mandatory: true, meta: { content_length: 21 } },
      { url: `${base}/in/b.csv`, mandatory: true, meta: { content_length: 19 } },
    ],
  });
  expect(await isComplete(task)).toBe(true);
  await put("in/later.csv");
  await run(task);
  expect(JSON.parse((await textOf("in/load.json")) ?? "").entries).toHaveLength(2);
});

test("S3Manifest refuses a prefix without files, and a dataset of ours", async () => {
  await put("in/notes.txt", "set/manifest.json", "set/attempt-1/part-00000.csv.gz");
  await expect(
    run(S3Manifest({ prefix: "in/", manifest: "m.json", suffix: ".csv" })),
  ).rejects.toMatchObject({
    code: "PREFIX_EMPTY",
    retryable: false,
    message: expect.stringMatching(/no files that end with "\.csv" below s3:\/\/.*\/in\//),
  });
  await expect(run(S3Manifest({ prefix: "set/", manifest: "m.json" }))).rejects.toMatchObject({
    code: "PREFIX_IS_DATASET",
  });
  expect(await textOf("m.json")).toBeUndefined();
});

test("S3Copy copies one object, also with an odd name", async () => {
  const odd = "in/naïve (1)+ä %2F?#.csv";
  await put(odd);
  const task = S3Copy({ from: odd, to: "out/copy.csv" });
  expect(await run(task)).toMatchObject({ files: 1 });
  expect(await textOf("out/copy.csv")).toBe(`content of ${odd}`);
  expect(await isComplete(task)).toBe(true);
  await expect(run(S3Copy({ from: "in/none.csv", to: "x" }))).rejects.toMatchObject({
    code: "OBJECT_MISSING",
    message: expect.stringMatching(/no object s3:\/\/.*\/in\/none\.csv to copy/),
  });
});

test("S3Copy copies a prefix and then raises the flag; without the flag it copies again", async () => {
  const keys = Array.from({ length: 20 }, (_, index) => `in/${index % 3}/part-${index}.csv`);
  await put(...keys, "in/_SUCCESS", "out/2/part-2.csv");
  const task = S3Copy({ from: "in/", to: "out/" });
  expect(await isComplete(task)).toBe(false);
  expect(await run(task)).toMatchObject({ files: 20 });
  expect((await keysOf(stores, "out/")).sort()).toEqual(
    [...keys, "in/_SUCCESS"].map((key) => key.replace("in/", "out/")).sort(),
  );
  expect(await textOf("out/2/part-2.csv")).toBe("content of in/2/part-2.csv");
  expect(await textOf("out/_SUCCESS")).toBe("");
  expect(await isComplete(task)).toBe(true);
  await stores.s3.delete(["out/_SUCCESS", "out/0/part-0.csv"]);
  await run(task);
  expect(await textOf("out/0/part-0.csv")).toBe("content of in/0/part-0.csv");
});

/** Stores of the same part of the bucket, whose S3 refuses the requests that `isRefused` picks. */
async function refusing(isRefused: (request: string) => boolean): Promise<OpenedStores> {
  const { proxy, url } = await proxied(settings.endpoint ?? "");
  proxy.rules = {
    onClient(bytes, link) {
      if (!isRefused(bytes.toString("latin1"))) return true;
      link.answer("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
      return false;
    },
  };
  return opened({ s3: { ...settings, endpoint: url, prefix: `project-${tests}` } });
}

test("a copy of which one object is refused raises no flag", async () => {
  await put("in/a", "in/b", "in/c");
  const task = S3Copy({ from: "in/", to: "out/" });
  const refused = await refusing((request) => /^PUT \S*out\/b/.test(request));
  await expect(runTask(task, refused)).rejects.toMatchObject({ code: "S3_REFUSED" });
  expect(await isComplete(task)).toBe(false);
  await run(task);
  expect(await keysOf(stores, "out/")).toEqual(["out/_SUCCESS", "out/a", "out/b", "out/c"]);
});

test("an object that vanished before its copy is named", async () => {
  expect(await stores.s3.copy("in/none", "out/none")).toBe(false);
  await expect(copyInS3(stores.s3, "in/none", "out/none")).rejects.toThrow("in/none to copy");
});

test("S3Copy refuses what cannot be whole", () => {
  expect(() => S3Copy({ from: "a/", to: "a/b/" }).outputs).toThrow("one is inside of the other");
  expect(() => S3Copy({ from: "a/b/", to: "a/" }).outputs).toThrow("one is inside of the other");
  expect(() => S3Copy({ from: "a", to: "a" }).outputs).toThrow("Copy to another place");
  expect(() => S3Copy({ from: "a/", to: "b" }).outputs).toThrow("give two keys, or two prefixes");
  expect(() => S3Copy({ from: "s3://b/k", to: "b" })).toThrow(
    'S3Copy: expected from to be a key like "exports/orders.csv.gz", or a prefix',
  );
});

test("an object that is too large for one copy is copied in parts, to the last byte", async () => {
  const body = Buffer.alloc(11 * 1024 ** 2 + 7, "0123456789");
  const place = (key: string) => ({ Bucket: settings.bucket, Key: `large/${key}` });
  const large = opened({ s3: { ...settings, prefix: "large" } });
  await large.s3.upload("from", Readable.from([body]));
  const limits = { whole: 5 * 1024 ** 2, part: 5 * 1024 ** 2 };
  await copyObject(client, place("from"), place("to"), undefined, limits);
  expect((await large.s3.read("to"))?.equals(body)).toBe(true);
  const aborted = AbortSignal.abort();
  await expect(copyObject(client, place("from"), place("never"), aborted, limits)).rejects.toThrow(
    "aborted",
  );
  expect(await large.s3.head("never")).toBeUndefined();
});

test("S3Delete deletes below a prefix, once a day, and leaves a record", async () => {
  await put("old/a/1", "old/a/2", "old/b", "older/c");
  const task = S3Delete({ prefix: "old/", date });
  expect(await run(task)).toEqual({ deleted: 3 });
  expect(await keysOf(stores, "old/")).toEqual([]);
  expect(await textOf("older/c")).toBe("content of older/c");
  expect(await isComplete(task)).toBe(true);
  expect(await isComplete(S3Delete({ prefix: "old/", date: date.add({ days: 1 }) }))).toBe(false);
  const [record = ""] = await keysOf(stores, "records/S3Delete/2026-11-21/");
  expect(JSON.parse((await textOf(record)) ?? "")).toMatchObject({ prefix: "old/", deleted: 3 });
});

test("S3Delete deletes the keys of a list, and keys that are not there", async () => {
  await put("a/1", "a/2");
  expect(await run(S3Delete({ keys: ["a/1", "a/none"], date }))).toEqual({ deleted: 2 });
  expect(await keysOf(stores, "a/")).toEqual(["a/2"]);
});

test("a deletion that is cut off has deleted first what says that the rest is there", async () => {
  await put("set/attempt-1/part.csv.gz", "set/manifest.json", "flagged/1", "flagged/_SUCCESS");
  for (const prefix of ["set/", "flagged/"]) {
    let deletions = 0;
    const { s3 } = await refusing((request) => /^POST \S*delete/.test(request) && ++deletions > 1);
    await expect(deleteFromS3(s3, prefix)).rejects.toMatchObject({ code: "S3_REFUSED" });
  }
  expect(await keysOf(stores)).toEqual(["flagged/1", "set/attempt-1/part.csv.gz"]);
});

test("S3Delete never takes the whole bucket", async () => {
  for (const prefix of ["", "/", "./", "../", "a//", "a"]) {
    expect(() => S3Delete({ prefix, date })).toThrow("S3Delete: expected prefix to be");
    await expect(deleteFromS3(stores.s3, prefix)).rejects.toThrow("S3Delete: expected a prefix");
  }
  await expect(deleteFromS3(stores.s3, ["a/"])).rejects.toThrow("S3Delete: expected a key");
  expect(() => S3Delete({ date }).outputs).toThrow("got neither");
  expect(() => S3Delete({ prefix: "a/", keys: ["b"], date }).outputs).toThrow("not both");
});

test("WaitForS3 is complete when the object, or the flag of the prefix, is there", async () => {
  const object = WaitForS3({ path: "drop/orders.csv" });
  const prefix = WaitForS3({ path: "drop/today/" });
  const named = WaitForS3({ path: "drop/today/", flag: "READY" });
  expect(object.family.kind).toBe("external");
  await put("drop/today/part-1.csv");
  expect(await Promise.all([object, prefix, named].map(isComplete))).toEqual([false, false, false]);
  await put("drop/orders.csv", "drop/today/_SUCCESS");
  expect(await Promise.all([object, prefix, named].map(isComplete))).toEqual([true, true, false]);
  await put("drop/today/READY");
  expect(await isComplete(named)).toBe(true);
});
