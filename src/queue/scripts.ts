/** Our Lua scripts as typed commands. Each script's header says what it does and why it is atomic. */
import { readFileSync } from "node:fs";
import type { Redis } from "ioredis";
import { withBullmqIncludes } from "./bullmq-internals.ts";

type Argument = string | number;

interface ScriptReplies {
  state: string[];
  link: number;
  await: number;
  begin: [string, (number | string)?];
  renew: number;
  release: number;
  complete: number;
}

export type ScriptName = keyof ScriptReplies;

const NAMES: readonly ScriptName[] = [
  "state",
  "link",
  "await",
  "begin",
  "renew",
  "release",
  "complete",
];

/** A call of a script, for `callAll`. */
export interface ScriptCall<Name extends ScriptName> {
  readonly name: Name;
  readonly key: string;
  readonly args: readonly Argument[];
}

export class Scripts {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
    for (const name of NAMES) {
      const file = new URL(`lua/${name}.lua`, import.meta.url);
      const lua = withBullmqIncludes(readFileSync(file, "utf8"));
      redis.defineCommand(command(name), { numberOfKeys: 1, lua });
    }
  }

  async call<Name extends ScriptName>(
    name: Name,
    key: string,
    ...args: Argument[]
  ): Promise<ScriptReplies[Name]> {
    const [reply] = await this.callAll([{ name, key, args }]);
    return reply as ScriptReplies[Name];
  }

  /** Calls in one round trip, in order, not as one transaction. */
  async callAll<Name extends ScriptName>(
    calls: readonly ScriptCall<Name>[],
  ): Promise<ScriptReplies[Name][]> {
    const pipeline = this.#redis.pipeline();
    for (const { name, key, args } of calls) {
      // `defineCommand` adds the method at run time; ioredis has no types for it.
      const send: unknown = Reflect.get(pipeline, command(name));
      if (typeof send === "function") Reflect.apply(send, pipeline, [key, ...args]);
    }
    const replies = (await pipeline.exec()) ?? [];
    return replies.map(([error, reply]) => {
      if (error) throw error;
      return reply as ScriptReplies[Name];
    });
  }
}

function command(name: ScriptName): string {
  return `sluice_${name}`;
}
