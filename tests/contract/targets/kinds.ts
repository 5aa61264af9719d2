/** Every kind of target, with what the battery does to it: half a write, a write, a look at what is there. */
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { expect } from "vitest";
import { defineTask } from "../../../src/core/define.ts";
import { p } from "../../../src/core/params/p.ts";
import type { Dialect, Step } from "../../../src/core/stores.ts";
import type { Attempt, Target } from "../../../src/core/target.ts";
import type { Task } from "../../../src/core/task.ts";
import type { OpenedStores } from "../../../src/stores/open-stores.ts";
import { partitionExists } from "../../../src/targets/partition-exists.ts";
import { s3Dataset } from "../../../src/targets/s3-dataset.ts";
import { s3Object } from "../../../src/targets/s3-object.ts";
import { tableExists } from "../../../src/targets/table-exists.ts";
import { tableMarker } from "../../../src/targets/table-marker.ts";
import { keysOf } from "../../integration/data/data-stores.ts";

interface Written {
  /** Whether this attempt's content is what counts. */
  readonly ours: boolean;
}

interface Seen {
  readonly attempts: readonly unknown[];
  readonly rest: number;
}

export interface Kind {
  /** What `Writes` knows it by. */
  readonly name: string;
  readonly kind: string;
  /** The warehouse that it is tried on. */
  readonly dialect: Dialect;
  readonly target: (name: string) => Target;
  /** Everything up to the commit, then dies. */
  readonly half: (task: Task, by: Attempt, stores: OpenedStores) => Promise<void>;
  readonly write: (task: Task, by: Attempt, through: OpenedStores) => Promise<Written>;
  /** The attempts whose content readers see, and what lies about besides. */
  readonly seen: (name: string, stores: OpenedStores) => Promise<Seen>;
  /** Who else makes it is also who deletes it: it has no `remove`. */
  readonly isForeign?: boolean;
}

const signal = new AbortController().signal;
const column = { name: "attempt", pgType: "text" };

const nameOf = (task: Task) => String(task.params["name"]);

export async function writeDataset(name: string, task: Task, by: Attempt, through: OpenedStores) {
  const handle = s3Dataset(`sets/${name}/`).bind({ task, stores: through, signal, attempt: by });
  const writer = handle.writer();
  const part = await writer.part("part.csv.gz", Readable.from([gzipSync(`${by.id}\n`)]));
  const parts = [{ ...part, rows: 1, rawBytes: by.id.length + 1 }];
  const format = { type: "csv", null: "@NULL@", compression: "gzip" } as const;
  const contents = { parts, columns: [column], format, snapshot: "", started: new Date() };
  return { handle, commit: () => writer.commit(contents) };
}

/** A commit of steps with the task's marker, and one that dies after the last step. */
function committed(steps: (task: Task, by: Attempt) => readonly Step[]) {
  const marker = (task: Task, stores: OpenedStores, by: Attempt) =>
    tableMarker("written").bind({ task, stores, signal, attempt: by });
  const dies = async () => {
    throw new Error("died");
  };
  return {
    async half(task: Task, by: Attempt, stores: OpenedStores): Promise<void> {
      const half = stores.warehouse.atomically(marker(task, stores, by), ...steps(task, by), dies);
      await expect(half).rejects.toThrow("died");
    },
    async write(task: Task, by: Attempt, through: OpenedStores): Promise<Written> {
      const { already } = await through.warehouse.atomically(
        marker(task, through, by),
        ...steps(task, by),
      );
      return { ours: !already };
    },
  };
}

export const insert = (task: Task, by: Attempt) =>
  `INSERT INTO written VALUES ('${nameOf(task)}', '${by.id}')`;

async function attemptsIn(stores: OpenedStores, table: string, where = "1 = 1"): Promise<Seen> {
  const rows = await stores.warehouse.query(`SELECT attempt FROM ${table} WHERE ${where}`);
  return { attempts: rows.map((row) => row["attempt"]), rest: 0 };
}

const dataset: Kind = {
  name: "s3-dataset",
  kind: "s3-dataset",
  dialect: "postgres",
  target: (name) => s3Dataset(`sets/${name}/`),
  async half(task, by, stores) {
    await writeDataset(nameOf(task), task, by, stores);
  },
  async write(task, by, through) {
    const { commit } = await writeDataset(nameOf(task), task, by, through);
    return await commit();
  },
  async seen(name, stores) {
    const task = Writes({ name, kind: "s3-dataset" });
    const handle = s3Dataset(`sets/${name}/`).bind({ task, stores, signal });
    const { entries, dump } = await handle.manifest();
    const texts = entries.map(async (entry) => {
      const chunks = await handle.read(entry).toArray();
      return Buffer.concat(chunks).toString().trim();
    });
    const attempts = await Promise.all(texts);
    expect(attempts).toEqual([dump.attempt]);
    return { attempts, rest: (await keysOf(stores, `sets/${name}/`)).length - entries.length - 1 };
  },
};

const object: Kind = {
  name: "s3-object",
  kind: "s3-object",
  dialect: "postgres",
  target: (name) => s3Object(`objects/${name}/object.txt`),
  async half(task, by, stores) {
    const dies = new Readable({ read: () => dies.destroy(new Error("died")) });
    dies.push(by.id);
    const half = stores.s3.upload(`objects/${nameOf(task)}/object.txt`, dies);
    await expect(half).rejects.toThrow("died");
  },
  async write(task, by, through) {
    const target = s3Object(`objects/${nameOf(task)}/object.txt`);
    return await target.bind({ task, stores: through, signal, attempt: by }).write(by.id);
  },
  async seen(name, stores) {
    const task = Writes({ name, kind: "s3-object" });
    const handle = s3Object(`objects/${name}/object.txt`).bind({ task, stores, signal });
    const rest = (await keysOf(stores, `objects/${name}/`)).length - 1;
    return { attempts: [(await handle.read()).toString()], rest };
  },
};

const marker = (dialect: Dialect): Kind => ({
  name: `table-marker on ${dialect}`,
  kind: "table-marker",
  dialect,
  target: () => tableMarker("written"),
  ...committed((task, by) => [insert(task, by)]),
  seen: (name, stores) => attemptsIn(stores, "written", `name = '${name}'`),
});

const table = (dialect: Dialect): Kind => ({
  name: `table on ${dialect}`,
  kind: "table",
  dialect,
  isForeign: true,
  target: (name) => tableExists(`made.${name}`),
  ...committed((task, by) => [
    `CREATE TABLE made.${nameOf(task)} (attempt varchar(100))`,
    `INSERT INTO made.${nameOf(task)} VALUES ('${by.id}')`,
  ]),
  seen: (name, stores) => attemptsIn(stores, `made.${name}`),
});

const partition = (dialect: Dialect): Kind => ({
  name: `partition on ${dialect}`,
  kind: "partition",
  dialect,
  isForeign: true,
  target: (name) => partitionExists("written", "name", `part of ${name}`),
  ...committed((task, by) => [
    `INSERT INTO written VALUES ('part of ${nameOf(task)}', '${by.id}')`,
  ]),
  seen: (name, stores) => attemptsIn(stores, "written", `name = 'part of ${name}'`),
});

export const KINDS: readonly Kind[] = [
  dataset,
  object,
  marker("postgres"),
  marker("redshift"),
  table("postgres"),
  table("redshift"),
  partition("postgres"),
  partition("redshift"),
];

/** A task with a target of some kind. */
export const Writes = defineTask(
  {
    name: "Writes",
    params: { name: p.text(), kind: p.text() },
    output: ({ name, kind }) => KINDS.find((each) => each.name === kind)?.target(name) ?? [],
  },
  () => undefined,
);
