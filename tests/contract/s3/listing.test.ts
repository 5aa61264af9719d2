import {
  DeleteObjectsCommand,
  ListObjectsCommand,
  type ListObjectsV2CommandInput,
  ListObjectsV2Command,
  paginateListObjectsV2,
} from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, it } from "vitest";
import { contract, refusal } from "./endpoint.ts";

const c = contract();
const list = (more: Partial<ListObjectsV2CommandInput>) =>
  c.s3.send(new ListObjectsV2Command({ Bucket: c.bucket, ...more }));
const listV1 = (more: object) => c.s3.send(new ListObjectsCommand({ Bucket: c.bucket, ...more }));
const names = (contents: readonly { Key?: string | undefined }[] = []): (string | undefined)[] =>
  contents.map(({ Key }) => Key);
const prefixes = (
  common: readonly { Prefix?: string | undefined }[] = [],
): (string | undefined)[] => common.map(({ Prefix }) => Prefix);

async function putAll(keys: readonly string[]): Promise<void> {
  for (let from = 0; from < keys.length; from += 40) {
    await Promise.all(keys.slice(from, from + 40).map((key) => c.put(key, key)));
  }
}

describe("1200 keys", () => {
  const many = Array.from({ length: 1200 }, (_, i) => `many/${String(i).padStart(5, "0")}.csv`);
  beforeAll(() => putAll(many));

  it("a page holds 1000 and says that more follow", async () => {
    const page = await list({ Prefix: "many/" });
    expect(page).toMatchObject({ KeyCount: 1000, IsTruncated: true });
  });

  it("pages join to all keys in order", async () => {
    const found: (string | undefined)[] = [];
    const pages = { client: c.s3, pageSize: 400 };
    for await (const page of paginateListObjectsV2(pages, { Bucket: c.bucket, Prefix: "many/" })) {
      found.push(...names(page.Contents));
    }
    expect(found).toEqual(many);
  });

  it("version 1 goes on from a marker", async () => {
    const page = await listV1({ Prefix: "many/", Marker: "many/01189.csv" });
    expect(names(page.Contents)).toEqual(many.slice(1190));
    expect(page.IsTruncated).toBe(false);
  });

  it("StartAfter begins behind a key", async () => {
    const page = await list({ Prefix: "many/", StartAfter: "many/01190.csv" });
    expect(names(page.Contents)).toEqual(many.slice(1191));
  });

  it("a delimiter rolls them up to one common prefix", async () => {
    const page = await list({ Delimiter: "/" });
    expect(prefixes(page.CommonPrefixes)).toContain("many/");
  });

  it("DeleteObjects removes 1000 at once", async () => {
    const Delete = { Objects: many.slice(0, 1000).map((Key) => ({ Key })) };
    const answer = await c.s3.send(new DeleteObjectsCommand({ Bucket: c.bucket, Delete }));
    expect(answer.Deleted).toHaveLength(1000);
    expect(names((await list({ Prefix: "many/" })).Contents)).toEqual(many.slice(1000));
  });
});

describe("order and roll-up", () => {
  const keys = [
    "o/a",
    "o/B",
    "o/a-b",
    "o/a/b",
    "o/a/c",
    "o/a0",
    "o/é",
    "o/_",
    "o/\u{ff5e}",
    "o/😀",
  ];
  beforeAll(() => putAll(keys));

  it("keys come in the order of their UTF-8 bytes", async () => {
    const expected = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(names((await list({ Prefix: "o/" })).Contents)).toEqual(expected);
    // The order of JavaScript's strings is another one, so the test would notice.
    expect([...keys].sort()).not.toEqual(expected);
  });

  it("pages of one element walk keys and common prefixes alike", async () => {
    const walked: (string | undefined)[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await list({ Prefix: "o/", Delimiter: "/", MaxKeys: 1, ContinuationToken });
      expect(page.KeyCount).toBe(1);
      walked.push(...names(page.Contents), ...prefixes(page.CommonPrefixes));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    expect(walked).toEqual([
      "o/B",
      "o/_",
      "o/a",
      "o/a-b",
      "o/a/",
      "o/a0",
      "o/é",
      "o/\u{ff5e}",
      "o/😀",
    ]);
  });

  it("version 1 goes on behind a common prefix", async () => {
    const first = await listV1({ Prefix: "o/", Delimiter: "/", MaxKeys: 5 });
    expect(first.NextMarker).toBe("o/a/");
    const rest = await listV1({ Prefix: "o/", Delimiter: "/", Marker: first.NextMarker });
    expect(names(rest.Contents)[0]).toBe("o/a0");
    expect(rest.CommonPrefixes).toBeUndefined();
  });

  it("EncodingType url percent-encodes keys", async () => {
    await c.put("enc/a b+é&", "x");
    const page = await list({ Prefix: "enc/", EncodingType: "url" });
    expect(names(page.Contents).map((key) => decodeURIComponent(key ?? ""))).toEqual([
      "enc/a b+é&",
    ]);
    expect(names(page.Contents)[0]).toMatch(/^enc\/a(%20|\+)b%2B%C3%A9%26$/);
  });

  it("no keys are an empty page", async () => {
    expect(await list({ Prefix: "nothing/" })).toMatchObject({ KeyCount: 0, IsTruncated: false });
    expect(await list({ MaxKeys: 0 })).toMatchObject({ KeyCount: 0, IsTruncated: false });
  });

  it("an invented continuation token is refused", async () => {
    const page = list({ ContinuationToken: "***" });
    expect(await refusal(page)).toEqual({ name: "InvalidArgument", status: 400 });
  });
});
