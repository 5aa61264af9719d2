/** Redis's protocol: commands by their names, scripts by theirs, a transaction as one call. */
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import path from "node:path";
import { z } from "zod";
import { SCRIPT_NAMES, scriptText } from "../../../src/queue/scripts.ts";
import type { Conversation, Frame, Protocol } from "./protocol.ts";

export const redisProtocol: Protocol = {
  oneByOne: true,
  refusal: ({ answers = 1 }) => Buffer.from("-LOADING injected fault\r\n".repeat(answers)),
  converse: () => new RedisConversation(),
};

class RedisConversation implements Conversation {
  #sent: Buffer = Buffer.alloc(0);
  #answer: Buffer = Buffer.alloc(0);
  #expected = 1;
  #transaction: Buffer[] | undefined;

  requests(bytes: Buffer): readonly Frame[] {
    this.#sent = Buffer.concat([this.#sent, bytes]);
    const frames: Frame[] = [];
    for (;;) {
      const end = endOfValue(this.#sent, 0);
      if (end === undefined) return frames;
      const command = this.#sent.subarray(0, end);
      this.#sent = this.#sent.subarray(end);
      const name = nameOf(command);
      if (name === "multi") this.#transaction = [];
      if (this.#transaction === undefined) {
        frames.push({ bytes: command, call: name });
        continue;
      }
      this.#transaction.push(command);
      if (name !== "exec") continue;
      const whole = this.#transaction;
      this.#transaction = undefined;
      frames.push({ bytes: Buffer.concat(whole), call: "multi", answers: whole.length });
    }
  }

  forwarded({ answers = 1 }: Frame): void {
    this.#expected = answers;
    this.#answer = Buffer.alloc(0);
  }

  answered(bytes: Buffer): boolean {
    this.#answer = Buffer.concat([this.#answer, bytes]);
    let at = 0;
    for (let each = 0; each < this.#expected; each += 1) {
      const end = endOfValue(this.#answer, at);
      if (end === undefined) return false;
      at = end;
    }
    this.#answer = Buffer.alloc(0);
    return true;
  }
}

/** Where the value that begins at `from` ends, or undefined when it is not whole. */
function endOfValue(bytes: Buffer, from: number): number | undefined {
  const line = bytes.indexOf("\r\n", from);
  if (line < 0) return undefined;
  const after = line + 2;
  const kind = String.fromCharCode(bytes[from] ?? 0);
  const size = Number(bytes.toString("latin1", from + 1, line));
  if ("$=!".includes(kind)) {
    if (size < 0) return after;
    return bytes.length >= after + size + 2 ? after + size + 2 : undefined;
  }
  const values = "*~>".includes(kind) ? size : "%|".includes(kind) ? size * 2 : 0;
  let at: number | undefined = after;
  for (let each = 0; each < values && at !== undefined; each += 1) at = endOfValue(bytes, at);
  return at;
}

function nameOf(command: Buffer): string {
  const parts: string[] = [];
  let at = command.indexOf("\r\n") + 2;
  while (at < command.length && parts.length < 2) {
    const line = command.indexOf("\r\n", at);
    const size = Number(command.toString("latin1", at + 1, line));
    parts.push(command.toString("utf8", line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
  const [name = "", first = ""] = parts;
  const lower = name.toLowerCase();
  if (lower === "evalsha") return scriptNames().get(first) ?? first.slice(0, 8);
  if (lower === "eval") return scriptNames().get(sha1(first)) ?? sha1(first).slice(0, 8);
  return lower;
}

let known: ReadonlyMap<string, string> | undefined;

/** Ours and BullMQ's, by the SHA-1 that Redis knows them by. */
function scriptNames(): ReadonlyMap<string, string> {
  if (known !== undefined) return known;
  const names = new Map<string, string>();
  for (const name of SCRIPT_NAMES) names.set(sha1(scriptText(name)), `sluice ${name}`);
  const require = createRequire(import.meta.url);
  const bullmq = path.join(
    path.dirname(require.resolve("bullmq/package.json")),
    "dist/cjs/scripts",
  );
  const script = z.object({ name: z.string(), content: z.string() });
  for (const each of Object.values(z.record(z.string(), z.unknown()).parse(require(bullmq)))) {
    const { data } = script.safeParse(each);
    if (data !== undefined) names.set(sha1(data.content), `bullmq ${data.name}`);
  }
  return (known = names);
}

function sha1(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}
