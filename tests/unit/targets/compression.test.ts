/** Files are written and read as their name says; zstd needs a Node that has it, and says so. */
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import * as zlib from "node:zlib";
import { expect, test } from "vitest";
import { PermanentError } from "../../../src/core/errors.ts";
import {
  createCompressor,
  createDecompressor,
  defaultCompression,
  fileEnding,
} from "../../../src/targets/compression.ts";

const hasZstd = "createZstdCompress" in zlib;
const text = Buffer.from('1,"a row"\n'.repeat(50_000));

async function roundTrip(compression: "gzip" | "zstd"): Promise<{ small: Buffer; back: Buffer }> {
  const small = await buffer(Readable.from([text]).pipe(createCompressor(compression, 10)));
  const file = `part-00000.csv${fileEnding(compression)}`;
  return { small, back: await buffer(Readable.from([small]).pipe(createDecompressor(file))) };
}

test("gzip can be read by anybody", async () => {
  const { small, back } = await roundTrip("gzip");
  expect(zlib.gunzipSync(small).equals(text)).toBe(true);
  expect(back.equals(text)).toBe(true);
});

/** The share that is left of a text whose rows all say the same: of long ones, that is far back. */
async function shrinksTo(compression: "gzip" | "zstd", rowBytes: number): Promise<number> {
  const row = randomBytes(rowBytes);
  const rows = Buffer.concat(Array.from({ length: 10 }, () => row));
  const small = await buffer(Readable.from([rows]).pipe(createCompressor(compression, rowBytes)));
  return small.length / rows.length;
}

test("long rows are compressed against the row before them", async () => {
  expect(await shrinksTo("gzip", 30_000)).toBeLessThan(0.2);
});

test.runIf(hasZstd)("with zstd, much longer ones", async () => {
  expect(await shrinksTo("zstd", 200_000)).toBeLessThan(0.2);
});

test("the default is zstd where Node has it", () => {
  expect(defaultCompression()).toBe(hasZstd ? "zstd" : "gzip");
});

test.runIf(hasZstd)("zstd is read back", async () => {
  const { small, back } = await roundTrip("zstd");
  expect(small.subarray(0, 4).toString("hex")).toBe("28b52ffd");
  expect(back.equals(text)).toBe(true);
});

test.skipIf(hasZstd)("a Node without zstd refuses it, and says which one has it", () => {
  for (const attempt of [
    () => createCompressor("zstd", 10),
    () => createDecompressor("a.csv.zst"),
  ]) {
    expect(attempt).toThrow(PermanentError);
    expect(attempt).toThrow(/Node 22\.15 or newer, or dump with compression: "gzip"/);
  }
});
