/** One battery for every kind of target: when it exists, and who commits it. */
import { Temporal } from "temporal-polyfill";
import { beforeAll, describe, expect, test } from "vitest";
import type { Dialect } from "../../../src/core/stores.ts";
import { existingOutputs, missingOutputs } from "../../../src/core/target.ts";
import type { Task } from "../../../src/core/task.ts";
import type { OpenedStores } from "../../../src/stores/open-stores.ts";
import { partitionExists } from "../../../src/targets/partition-exists.ts";
import { s3Dataset } from "../../../src/targets/s3-dataset.ts";
import { s3Flag } from "../../../src/targets/s3-flag.ts";
import { s3Object } from "../../../src/targets/s3-object.ts";
import { tableMarker } from "../../../src/targets/table-marker.ts";
import { attempt, keysOf, opened } from "../../integration/data/data-stores.ts";
import { localPlace, type Place } from "../../integration/tasks/warehouses.ts";
import { proxied } from "../../support/proxied.ts";
import type { TcpProxy } from "../../support/tcp-proxy.ts";
import { insert, KINDS, writeDataset, Writes } from "./kinds.ts";

interface Tried extends Place {
  /** Stores that lose the answer to their next commit on its way. */
  readonly forgetful: () => OpenedStores;
}

const signal = new AbortController().signal;
const places = new Map<Dialect, Tried>();
let stores: OpenedStores;
let administer: Place["admin"];

beforeAll(async () => {
  for (const dialect of ["postgres", "redshift"] as const) {
    const place = await localPlace(dialect);
    const { warehouseUrl, s3 } = place.settings;
    if (s3?.endpoint === undefined) throw new Error("no S3");
    const [warehouse, bucket] = await Promise.all([
      proxied(String(warehouseUrl)),
      proxied(s3.endpoint),
    ]);
    const forgetful = opened({ warehouseUrl: warehouse.url, s3: { ...s3, endpoint: bucket.url } });
    places.set(dialect, {
      ...place,
      forgetful() {
        loseAnswer(warehouse.proxy, (bytes) => bytes.includes("COMMIT\0"));
        loseAnswer(bucket.proxy, (bytes) =>
          /^PUT \S+(manifest\.json|object\.txt)/.test(bytes.toString("latin1")),
        );
        return forgetful;
      },
    });
    await place.admin(
      "CREATE TABLE written (name varchar(100), attempt varchar(100)); CREATE SCHEMA made",
    );
  }
  ({ stores, admin: administer } = placeOf("postgres"));
});

function placeOf(dialect: Dialect): Tried {
  const place = places.get(dialect);
  if (place === undefined) throw new Error(`no ${dialect}`);
  return place;
}

/** Cuts the connection instead of the first answer after a commit. */
function loseAnswer(proxy: TcpProxy, isCommit: (bytes: Buffer) => boolean): void {
  let lost = 0;
  let committing = false;
  proxy.rules = {
    onClient: (bytes) => {
      if (isCommit(bytes) && lost === 0) committing = true;
    },
    onServer: (_bytes, link) => {
      if (!committing) return true;
      committing = false;
      lost++;
      link.cut();
      return false;
    },
  };
}

describe.each(KINDS)("$name", ({ name: kind, dialect, isForeign = false, ...is }) => {
  const { target, half, write, seen } = is;
  let stores: OpenedStores;

  beforeAll(() => {
    ({ stores } = placeOf(dialect));
  });

  const missing = (task: Task) => missingOutputs({ task, stores, signal });

  test("missing: it does not exist, and is named", async () => {
    const task = Writes({ name: "missing", kind });
    expect(target("missing").kind).toBe(is.kind);
    expect(await missing(task)).toEqual([expect.stringMatching(/missing|written/)]);
  });

  test("half-written: it does not exist; a further attempt commits, and only its content is seen", async () => {
    const task = Writes({ name: "half", kind });
    const [first, second] = [attempt(), attempt()];
    await half(task, first, stores);
    expect(await missing(task)).toHaveLength(1);
    expect(await write(task, second, stores)).toMatchObject({ ours: true });
    expect(await seen("half", stores)).toEqual({ attempts: [second.id], rest: 0 });
    expect(await missing(task)).toEqual([]);
  });

  test("written twice: the first one counts, the second is told so", async () => {
    const task = Writes({ name: "twice", kind });
    const [first, second] = [attempt(), attempt()];
    expect(await write(task, first, stores)).toMatchObject({ ours: true });
    expect(await write(task, second, stores)).toMatchObject({ ours: false });
    expect(await seen("twice", stores)).toEqual({ attempts: [first.id], rest: 0 });
  });

  test("written by many at once: exactly one commits, and no other takes it for its own", async () => {
    const task = Writes({ name: "race", kind });
    // Each lost the lease to the next one, right after it had made sure of it.
    const attempts = Array.from({ length: 5 }, (_, index) => {
      let looks = 0;
      const confirmLease = async () => {
        if (looks++ > 0 && index < 4) throw new Error("lease lost");
      };
      return attempt({ confirmLease });
    });
    const ends = await Promise.allSettled(attempts.map((each) => write(task, each, stores)));
    const { attempts: committed, rest } = await seen("race", stores);
    expect({ committed: committed.length, rest }).toEqual({ committed: 1, rest: 0 });
    // Ended by another one in the middle of its COMMIT, it asks whose the marker is, and has no lease.
    const told = ends.map((end) =>
      end.status === "rejected" ? String(end.reason) : end.value.ours,
    );
    const isTrue = attempts.map(({ id }) => id === committed[0]);
    const wrong = told.filter((each, at) => each !== "Error: lease lost" && each !== isTrue[at]);
    expect(wrong).toEqual([]);
  });

  test("an attempt that lost its lease commits nothing", async () => {
    const task = Writes({ name: "zombie", kind });
    const lost = async () => {
      throw new Error("lease lost");
    };
    await expect(write(task, attempt({ confirmLease: lost }), stores)).rejects.toThrow(
      "lease lost",
    );
    expect(await missing(task)).toHaveLength(1);
    const heir = attempt();
    await write(task, heir, stores);
    expect(await seen("zombie", stores)).toEqual({ attempts: [heir.id], rest: 0 });
  });

  test.runIf(isForeign)("what somebody else makes, nobody removes", async () => {
    const task = Writes({ name: "foreign", kind });
    await write(task, attempt(), stores);
    const [handle] = await existingOutputs({ task, stores, signal });
    expect(handle).toMatchObject({
      location: target("foreign").bind({ task, stores, signal }).location,
    });
    expect(handle).not.toHaveProperty("remove");
  });

  test.skipIf(isForeign)(
    "removed: it does not exist, twice is as good as once, and it can be written again",
    async () => {
      const task = Writes({ name: `removed-${kind}`, kind });
      await write(task, attempt(), stores);
      const [handle] = await existingOutputs({ task, stores, signal });
      await handle?.remove?.();
      expect(await missing(task)).toHaveLength(1);
      const left = (await keysOf(stores)).filter((key) => key.includes(`/removed-${kind}/`));
      expect(left).toEqual([]);
      await handle?.remove?.();
      const heir = attempt();
      expect(await write(task, heir, stores)).toMatchObject({ ours: true });
      expect((await seen(`removed-${kind}`, stores)).attempts).toContain(heir.id);
      expect(await missing(task)).toEqual([]);
    },
  );

  test("the answer to the commit is lost: the attempt recognises its own", async () => {
    const task = Writes({ name: "lost", kind });
    const own = attempt();
    expect(await write(task, own, placeOf(dialect).forgetful())).toMatchObject({ ours: true });
    expect(await seen("lost", stores)).toEqual({ attempts: [own.id], rest: 0 });
  });
});

test("outside of an attempt none can be written", async () => {
  const task = Writes({ name: "reader", kind: "s3-dataset" });
  const dataset = s3Dataset("sets/reader/").bind({ task, stores, signal });
  expect(() => dataset.writer()).toThrow("running attempt");
  const marker = tableMarker("written").bind({ task, stores, signal });
  await expect(stores.warehouse.atomically(marker)).rejects.toThrow("running attempt");
  expect(await marker.exists()).toBe(false);
  const object = s3Object("sets/reader/object").bind({ task, stores, signal });
  await expect(object.write("text")).rejects.toThrow("running attempt");
  await expect(object.read()).rejects.toMatchObject({ code: "OBJECT_MISSING" });
  const flag = s3Flag("sets/reader/").bind({ task, stores, signal });
  await expect(flag.raise()).rejects.toThrow("running attempt");
  expect(await keysOf(stores, "sets/reader/")).toEqual([]);
});

test("a flag is raised once or twice, by who holds the lease, and taken down without its data", async () => {
  const task = Writes({ name: "flag", kind: "s3-object" });
  const bound = (change = {}) =>
    s3Flag("sets/flag/").bind({ task, stores, signal, attempt: attempt(change) });
  await stores.s3.put("sets/flag/data", "data");
  expect(await bound().exists()).toBe(false);
  const lost = async () => {
    throw new Error("lease lost");
  };
  await expect(bound({ confirmLease: lost }).raise()).rejects.toThrow("lease lost");
  expect(await bound().exists()).toBe(false);
  await bound().raise();
  await bound().raise();
  expect(await bound().exists()).toBe(true);
  expect(bound().location).toBe(stores.s3.url("sets/flag/_SUCCESS"));
  expect(await stores.s3.head("sets/flag/_SUCCESS")).toMatchObject({ bytes: 0 });
  await bound().remove();
  expect(await keysOf(stores, "sets/flag/")).toEqual(["sets/flag/data"]);
});

test("a partition is a value of a column: of a date, of a number, of a text with quotes", async () => {
  const task = Writes({ name: "partition", kind: "s3-object" });
  for (const { stores, admin } of places.values()) {
    await admin(`CREATE TABLE parts (day date, id integer, note varchar(50));
      INSERT INTO parts VALUES ('2026-11-21', 7, 'it''s a \\ here')`);
    const exists = async (column: string, value: Parameters<typeof partitionExists>[2]) =>
      await partitionExists("parts", column, value).bind({ task, stores, signal }).exists();
    const date = Temporal.PlainDate.from("2026-11-21");
    expect(await exists("day", date)).toBe(true);
    expect(await exists("day", date.add({ days: 1 }))).toBe(false);
    expect([await exists("id", 7), await exists("id", 8n)]).toEqual([true, false]);
    expect(await exists("note", "it's a \\ here")).toBe(true);
    await expect(exists("nothing", 1)).rejects.toThrow("nothing");
  }
  const nowhere = partitionExists("no.where", "day", "x").bind({ task, stores, signal });
  expect(await nowhere.exists()).toBe(false);
  expect(nowhere.location).toBe("rows of no.where with day = x");
});

test("a part that vanished before the commit is not committed", async () => {
  const task = Writes({ name: "vanished", kind: "s3-dataset" });
  const { handle, commit } = await writeDataset("vanished", task, attempt(), stores);
  await stores.s3.delete(await keysOf(stores, "sets/vanished/"));
  await expect(commit()).rejects.toMatchObject({ code: "PART_LOST", retryable: true });
  expect(await handle.exists()).toBe(false);
});

test("a manifest that is not ours is refused, and so is an entry outside of the dataset", async () => {
  const task = Writes({ name: "foreign", kind: "s3-dataset" });
  const handle = s3Dataset("sets/foreign/").bind({ task, stores, signal });
  await expect(handle.manifest()).rejects.toMatchObject({ code: "DATASET_MISSING" });
  await stores.s3.put("sets/foreign/manifest.json", '{"entries":[{"url":"s3://a/b"}]}');
  await expect(handle.manifest()).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
  const meta = { content_length: 0, rows: 0, raw_bytes: 0, sha256: "0".repeat(64) };
  const entry = { url: stores.s3.url("sets/other/part"), mandatory: true, meta } as const;
  expect(() => handle.read(entry)).toThrow("not in the dataset");
});

test("prefixes that would end up elsewhere are refused", () => {
  for (const prefix of ["", "/", "a", "/a/", "a//b/", "a/../b/", "a'b/", "a\\b/", "a\nb/", "./"]) {
    expect(() => s3Dataset(prefix)).toThrow("expected a prefix like");
    expect(() => s3Flag(prefix)).toThrow("s3Flag: expected a prefix like");
  }
  for (const key of ["", "/", "a/", "/a", "a//b", "../a", "a'b", "a\\b", "a\nb", "."]) {
    expect(() => s3Object(key)).toThrow("s3Object: expected a key like");
  }
});

test("a marker that Luigi wrote counts", async () => {
  const task = Writes({ name: "luigi", kind: "table-marker on postgres" });
  const handle = tableMarker("written", { updateId: "Load_2024_03_09_5b8143416d" }).bind({
    task,
    stores,
    signal,
    attempt: attempt(),
  });
  expect(await handle.exists()).toBe(false);
  await administer(
    "INSERT INTO table_updates (update_id, target_table) VALUES ('Load_2024_03_09_5b8143416d', 'events')",
  );
  expect(await handle.exists()).toBe(true);
  expect(await stores.warehouse.atomically(handle, insert(task, attempt()))).toEqual({
    rows: 0,
    already: true,
  });
});
