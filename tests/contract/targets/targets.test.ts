/** One battery for every kind of target: when it exists, and who commits it. */
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { defineTask } from "../../../src/core/define.ts";
import { p } from "../../../src/core/params/p.ts";
import {
  type Attempt,
  existingOutputs,
  missingOutputs,
  type Target,
} from "../../../src/core/target.ts";
import type { Task } from "../../../src/core/task.ts";
import type { OpenedStores } from "../../../src/stores/open-stores.ts";
import { s3Dataset } from "../../../src/targets/s3-dataset.ts";
import { tableMarker } from "../../../src/targets/table-marker.ts";
import {
  administer,
  attempt,
  freshStores,
  keysOf,
  opened,
} from "../../integration/data/data-stores.ts";
import { proxied } from "../../support/proxied.ts";
import type { TcpProxy } from "../../support/tcp-proxy.ts";

let url: string;
let stores: OpenedStores;
/** Stores whose answer to a commit is lost on its way. */
let forgetful: OpenedStores;

beforeAll(async () => {
  const fresh = await freshStores();
  ({ url, stores } = fresh);
  const { settings } = fresh;
  if (settings.s3?.endpoint === undefined) throw new Error("no S3");
  const [warehouse, s3] = await Promise.all([proxied(url), proxied(settings.s3.endpoint)]);
  forgetful = opened({
    ...settings,
    warehouseUrl: warehouse.url,
    s3: { ...settings.s3, endpoint: s3.url },
  });
  loseAnswers(warehouse.proxy, (bytes) => bytes.includes("COMMIT\0"));
  loseAnswers(s3.proxy, (bytes) => /^PUT \S+manifest\.json/.test(bytes.toString("latin1")));
  await administer(url, "CREATE TABLE written (name text, attempt text)");
});

/** Cuts the connection instead of the first answer after each commit. */
function loseAnswers(proxy: TcpProxy, isCommit: (bytes: Buffer) => boolean): void {
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

interface Written {
  /** Whether this attempt's content is what counts. */
  readonly ours: boolean;
}

interface Seen {
  readonly attempts: readonly unknown[];
  readonly rest: number;
}

interface Kind {
  readonly kind: string;
  readonly target: (name: string) => Target;
  /** Everything up to the commit, then dies. */
  readonly half: (task: Task, by: Attempt) => Promise<void>;
  readonly write: (task: Task, by: Attempt, through: OpenedStores) => Promise<Written>;
  /** The attempts whose content readers see, and what lies about besides. */
  readonly seen: (name: string) => Promise<Seen>;
}

const signal = new AbortController().signal;
const column = { name: "attempt", pgType: "text" };

async function writeDataset(name: string, task: Task, by: Attempt, through: OpenedStores) {
  const handle = s3Dataset(`sets/${name}/`).bind({ task, stores: through, signal, attempt: by });
  const writer = handle.writer();
  const part = await writer.part("part.csv.gz", Readable.from([gzipSync(`${by.id}\n`)]));
  const parts = [{ ...part, rows: 1, rawBytes: by.id.length + 1 }];
  const format = { type: "csv", null: "@NULL@", compression: "gzip" } as const;
  const contents = { parts, columns: [column], format, snapshot: "", started: new Date() };
  return { handle, commit: () => writer.commit(contents) };
}

const kinds: readonly Kind[] = [
  {
    kind: "s3-dataset",
    target: (name) => s3Dataset(`sets/${name}/`),
    async half(task, by) {
      await writeDataset(String(task.params["name"]), task, by, stores);
    },
    async write(task, by, through) {
      const { commit } = await writeDataset(String(task.params["name"]), task, by, through);
      return await commit();
    },
    async seen(name) {
      const task = Writes({ name, kind: "s3-dataset" });
      const handle = s3Dataset(`sets/${name}/`).bind({ task, stores, signal });
      const { entries, dump } = await handle.manifest();
      const texts = entries.map(async (entry) => {
        const chunks = await handle.read(entry).toArray();
        return Buffer.concat(chunks).toString().trim();
      });
      const attempts = await Promise.all(texts);
      expect(attempts).toEqual([dump.attempt]);
      return {
        attempts,
        rest: (await keysOf(stores, `sets/${name}/`)).length - entries.length - 1,
      };
    },
  },
  {
    kind: "table-marker",
    target: () => tableMarker("written"),
    async half(task, by) {
      const dies = async () => {
        throw new Error("died");
      };
      const handle = tableMarker("written").bind({ task, stores, signal, attempt: by });
      await expect(stores.warehouse.atomically(handle, insert(task, by), dies)).rejects.toThrow(
        "died",
      );
    },
    async write(task, by, through) {
      const handle = tableMarker("written").bind({ task, stores: through, signal, attempt: by });
      const { already } = await through.warehouse.atomically(handle, insert(task, by));
      return { ours: !already };
    },
    async seen(name) {
      const rows = await administer(url, `SELECT attempt FROM written WHERE name = '${name}'`);
      return { attempts: rows.map((row) => row["attempt"]), rest: 0 };
    },
  },
];

const insert = (task: Task, by: Attempt) =>
  `INSERT INTO written VALUES ('${String(task.params["name"])}', '${by.id}')`;

const Writes = defineTask(
  {
    name: "Writes",
    params: { name: p.text(), kind: p.text() },
    output: ({ name, kind }) => kinds.find((each) => each.kind === kind)?.target(name) ?? [],
  },
  () => undefined,
);

describe.each(kinds)("$kind", ({ kind, target, half, write, seen }) => {
  const missing = (task: Task) => missingOutputs({ task, stores, signal });

  test("missing: it does not exist, and is named", async () => {
    const task = Writes({ name: "missing", kind });
    expect(target("missing").kind).toBe(kind);
    expect(await missing(task)).toEqual([expect.stringMatching(/missing|written/)]);
  });

  test("half-written: it does not exist; a further attempt commits, and only its content is seen", async () => {
    const task = Writes({ name: "half", kind });
    const [first, second] = [attempt(), attempt()];
    await half(task, first);
    expect(await missing(task)).toHaveLength(1);
    expect(await write(task, second, stores)).toMatchObject({ ours: true });
    expect(await seen("half")).toEqual({ attempts: [second.id], rest: 0 });
    expect(await missing(task)).toEqual([]);
  });

  test("written twice: the first one counts, the second is told so", async () => {
    const task = Writes({ name: "twice", kind });
    const [first, second] = [attempt(), attempt()];
    expect(await write(task, first, stores)).toMatchObject({ ours: true });
    expect(await write(task, second, stores)).toMatchObject({ ours: false });
    expect(await seen("twice")).toEqual({ attempts: [first.id], rest: 0 });
  });

  test("written by many at once: exactly one commits", async () => {
    const task = Writes({ name: "race", kind });
    const attempts = Array.from({ length: 5 }, () => attempt());
    const written = await Promise.all(attempts.map((each) => write(task, each, stores)));
    const winners = attempts.filter((_, index) => written[index]?.ours === true);
    expect(winners).toHaveLength(1);
    expect(await seen("race")).toEqual({ attempts: [winners[0]?.id], rest: 0 });
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
    expect(await seen("zombie")).toEqual({ attempts: [heir.id], rest: 0 });
  });

  test("removed: it does not exist, twice is as good as once, and it can be written again", async () => {
    const task = Writes({ name: `removed-${kind}`, kind });
    await write(task, attempt(), stores);
    const [handle] = await existingOutputs({ task, stores, signal });
    await handle?.remove?.();
    expect(await missing(task)).toHaveLength(1);
    expect(await keysOf(stores, `sets/removed-${kind}/`)).toEqual([]);
    await handle?.remove?.();
    const heir = attempt();
    expect(await write(task, heir, stores)).toMatchObject({ ours: true });
    expect((await seen(`removed-${kind}`)).attempts).toContain(heir.id);
    expect(await missing(task)).toEqual([]);
  });

  test("the answer to the commit is lost: the attempt recognises its own", async () => {
    const task = Writes({ name: "lost", kind });
    const own = attempt();
    expect(await write(task, own, forgetful)).toMatchObject({ ours: true });
    expect(await seen("lost")).toEqual({ attempts: [own.id], rest: 0 });
  });
});

test("outside of an attempt neither kind can be written", async () => {
  const task = Writes({ name: "reader", kind: "s3-dataset" });
  const dataset = s3Dataset("sets/reader/").bind({ task, stores, signal });
  expect(() => dataset.writer()).toThrow("running attempt");
  const marker = tableMarker("written").bind({ task, stores, signal });
  await expect(stores.warehouse.atomically(marker)).rejects.toThrow("running attempt");
  expect(await marker.exists()).toBe(false);
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
  }
});

test("a marker that Luigi wrote counts", async () => {
  const task = Writes({ name: "luigi", kind: "table-marker" });
  const handle = tableMarker("written", { updateId: "Load_2024_03_09_5b8143416d" }).bind({
    task,
    stores,
    signal,
    attempt: attempt(),
  });
  expect(await handle.exists()).toBe(false);
  await administer(
    url,
    "INSERT INTO table_updates (update_id, target_table) VALUES ('Load_2024_03_09_5b8143416d', 'events')",
  );
  expect(await handle.exists()).toBe(true);
  expect(await stores.warehouse.atomically(handle, insert(task, attempt()))).toEqual({
    rows: 0,
    already: true,
  });
});
