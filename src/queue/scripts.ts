/** Our Lua scripts as typed commands. Each script's header says what it does and why it is atomic. */
import { readFileSync } from "node:fs";
import type { Redis } from "ioredis";
import { asFunction, withBullmqIncludes } from "./bullmq-internals.ts";
import { type Argument, gathered, type Send } from "./gathered.ts";
import { Turns } from "./turns.ts";

interface ScriptReplies {
  state: string[];
  link: number;
  await: number | string[];
  begin: [
    verdict: string,
    detail?: number | string,
    failedAt?: string | null,
    stale?: string | null,
    lost?: [attempt: string, crashes: number, milliseconds: number] | null,
  ];
  renew: number;
  release: number;
  call: number;
  limit: number;
  complete: [waiters: number, ended?: unknown];
  fail: number;
  cancel: "complete" | "absent" | "failed" | "running" | "cancelled";
  withdraw: string[];
  claim: number;
  settle: number;
  record: [failed: number, problem: string];
  trim: number;
}

export type ScriptName = keyof ScriptReplies;

export const SCRIPT_NAMES: readonly ScriptName[] = [
  "state",
  "link",
  "await",
  "begin",
  "renew",
  "release",
  "call",
  "limit",
  "complete",
  "fail",
  "cancel",
  "withdraw",
  "claim",
  "settle",
  "record",
  "trim",
];

/** Those that every attempt calls. What is called in one turn of the event loop leaves as one command. */
const GATHERED: ReadonlySet<ScriptName> = new Set(["begin", "complete"]);

const texts = new Map<ScriptName, string>();

/** The text of a script, as Redis is given it. Read once: a worker has a connection for each queue. */
export function scriptText(name: ScriptName): string {
  const known = texts.get(name);
  if (known !== undefined) return known;
  const text = readScript(name);
  texts.set(name, text);
  return text;
}

function readScript(name: ScriptName): string {
  const read = (file: string) => readFileSync(new URL(`lua/${file}.lua`, import.meta.url), "utf8");
  const lua = GATHERED.has(name)
    ? read("includes/gathered").replace("--- @script", () => asFunction("one", read(name)))
    : read(name);
  return withBullmqIncludes(lua);
}

/** A call of a script, as data. */
export interface ScriptCall<Name extends ScriptName> {
  readonly name: Name;
  readonly key: string;
  readonly args: readonly Argument[];
}

export class Scripts {
  readonly #commands = new Map<ScriptName, Send>();

  constructor(redis: Redis, turns = new Turns()) {
    for (const name of SCRIPT_NAMES) {
      const isGathered = GATHERED.has(name);
      const lua = scriptText(name);
      redis.defineCommand(`sluice_${name}`, { numberOfKeys: 1, lua });
      // `defineCommand` adds the method at run time; ioredis has no types for it.
      const method: unknown = Reflect.get(redis, `sluice_${name}`);
      if (typeof method !== "function") throw new TypeError(`${name} is not a script`);
      const send: Send = (key, args) => Reflect.apply(method, redis, [[key, ...args]]);
      this.#commands.set(name, isGathered ? gathered(send, turns) : send);
    }
  }

  async call<Name extends ScriptName>(
    name: Name,
    key: string,
    ...args: Argument[]
  ): Promise<ScriptReplies[Name]> {
    return this.send({ name, key, args });
  }

  /** With any number of arguments: 100,000 of a call overflow the stack. */
  async send<Name extends ScriptName>({
    name,
    key,
    args,
  }: ScriptCall<Name>): Promise<ScriptReplies[Name]> {
    const reply = await this.#commands.get(name)?.(key, args);
    return reply as ScriptReplies[Name];
  }

  /**
   * Calls that are sent together, in order, not as one transaction. No pipeline: in one, a Redis that
   * forgot its scripts (restart, SCRIPT FLUSH) is an error instead of a second, full EVAL.
   */
  async callAll<Name extends ScriptName>(
    calls: readonly ScriptCall<Name>[],
  ): Promise<ScriptReplies[Name][]> {
    return Promise.all(calls.map((call) => this.send(call)));
  }
}
