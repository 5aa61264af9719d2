/** Our Lua scripts as typed commands. Each script's header says what it does and why it is atomic. */
import { readFileSync } from "node:fs";
import type { Redis } from "ioredis";
import { withBullmqIncludes } from "./bullmq-internals.ts";

type Argument = string | number;

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
  complete: number;
  fail: number;
  cancel: "complete" | "absent" | "failed" | "running" | "cancelled";
  withdraw: string[];
  claim: number;
  settle: number;
  record: [failed: number, problem: string];
  trim: number;
}

export type ScriptName = keyof ScriptReplies;

const NAMES: readonly ScriptName[] = [
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

/** A call of a script, as data. */
export interface ScriptCall<Name extends ScriptName> {
  readonly name: Name;
  readonly key: string;
  readonly args: readonly Argument[];
}

export class Scripts {
  readonly #commands = new Map<ScriptName, (args: readonly Argument[]) => Promise<unknown>>();

  constructor(redis: Redis) {
    for (const name of NAMES) {
      const file = new URL(`lua/${name}.lua`, import.meta.url);
      const lua = withBullmqIncludes(readFileSync(file, "utf8"));
      redis.defineCommand(`sluice_${name}`, { numberOfKeys: 1, lua });
      // `defineCommand` adds the method at run time; ioredis has no types for it.
      const send: unknown = Reflect.get(redis, `sluice_${name}`);
      if (typeof send !== "function") throw new TypeError(`${name} is not a script`);
      this.#commands.set(name, send.bind(redis));
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
    const reply = await this.#commands.get(name)?.([key, ...args]);
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
