/**
 * Datasets of the chaos tasks, in two modes. `fenced` is the library's. `naive` is how it must not be done,
 * to prove that the checks would see it: parts are written in place, then a `_SUCCESS`, and neither
 * lease nor signal is heeded.
 */
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import type { Attempt, Binding, Target, TargetHandle } from "../../src/core/target.ts";
import { s3Dataset } from "../../src/targets/s3-dataset.ts";

export type Mode = "fenced" | "naive";

/** The parts of a dataset, each of some lines. */
export type Parts = AsyncIterable<readonly string[]>;

export interface Dataset extends TargetHandle {
  /** Gives whether this is the commit that counts. */
  write(parts: Parts): Promise<boolean>;
  /** Throws when it is not whole. */
  read(): Promise<readonly (readonly string[])[]>;
}

export function dataset(mode: Mode, prefix: string): Target<Dataset> {
  return {
    kind: `chaos-${mode}`,
    bind: (binding) => (mode === "naive" ? naive(prefix, binding) : fenced(prefix, binding)),
  };
}

function fenced(prefix: string, binding: Binding): Dataset {
  const handle = s3Dataset(prefix).bind(binding);
  return {
    location: handle.location,
    exists: () => handle.exists(),
    async write(parts) {
      const started = new Date();
      const writer = handle.writer();
      const written = [];
      for await (const lines of parts) {
        const raw = linesText(lines);
        const part = await writer.part(`part-${written.length}.gz`, Readable.from(gzipSync(raw)));
        written.push({ ...part, rows: lines.length, rawBytes: raw.length });
      }
      const { ours } = await writer.commit({
        parts: written,
        columns: [{ name: "line", pgType: "text" }],
        format: { type: "csv", null: "@NULL@", compression: "gzip" },
        snapshot: "none",
        started,
      });
      return ours;
    },
    async read() {
      const { entries } = await handle.manifest();
      return Promise.all(entries.map(async (entry) => linesOf(await text(handle.read(entry)))));
    },
  };
}

function naive(prefix: string, { stores: { s3 }, attempt }: Binding): Dataset {
  const success = `${prefix}_SUCCESS`;
  const part = (index: number) => `${prefix}part-${index}`;
  return {
    location: s3.url(prefix),
    exists: async () => (await s3.head(success)) !== undefined,
    async write(parts) {
      let count = 0;
      for await (const lines of parts) await s3.put(part(count++), linesText(lines));
      await s3.put(success, JSON.stringify({ count, by: idOf(attempt) }));
      return true;
    },
    async read() {
      const proof = await s3.read(success);
      if (proof === undefined) throw new Error(`there is no ${success}`);
      const { count }: { count: number } = JSON.parse(proof.toString());
      const found: string[][] = [];
      for (let index = 0; index < count; index++) {
        const body = await s3.read(part(index));
        if (body === undefined) throw new Error(`there is no ${part(index)}`);
        found.push(linesOf(body.toString()));
      }
      return found;
    },
  };
}

function idOf(attempt: Attempt | undefined): string {
  return attempt?.id ?? "nobody";
}

function linesText(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

function linesOf(body: string): string[] {
  return body.split("\n").filter((line) => line !== "");
}
