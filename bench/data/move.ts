/** Runs `move-main.ts`: one dump or load by the library, in a worker process of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Services } from "./services.ts";

const typescript = new URL("../../bin/typescript.js", import.meta.url).href;
const moveMain = fileURLToPath(new URL("./move-main.ts", import.meta.url));

export interface Move {
  readonly move: "dump" | "load";
  /** Of the dataset. */
  readonly name: string;
  readonly connections: number;
  readonly compression: "gzip" | "zstd";
}

const answer = z.object({
  /** From the first statement to the commit. */
  seconds: z.number(),
  /** CPU seconds, without the start of Node. */
  cpu: z.number(),
  /** MB at most, the start of Node included. */
  rss: z.number(),
  /** MB, four times a second. */
  samples: z.array(z.number()),
  rows: z.number(),
  /** In S3. */
  bytes: z.number(),
  rawBytes: z.number(),
});

export type Moved = z.infer<typeof answer>;

export async function move({ url, s3 }: Services, node: string, what: Move): Promise<Moved> {
  const child = spawn(node, ["--import", typescript, moveMain], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.end(JSON.stringify({ url, s3, ...what }));
  const ended = once(child, "close");
  const out = await text(child.stdout);
  await ended;
  if (child.exitCode !== 0) throw new Error(`this failed: ${JSON.stringify(what)}`);
  return answer.parse(JSON.parse(out));
}
