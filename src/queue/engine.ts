/**
 * The engine's end in Redis: connection, scripts, BullMQ queues. Opened once a process; knows how to
 * find things, decides nothing.
 */
import { FlowProducer, Queue } from "bullmq";
import type { Redis } from "ioredis";
import { checkBullmq } from "./bullmq-internals.ts";
import { connectRedis, ensureRedis, redisAddress } from "./connection.ts";
import { checkEnvironment } from "./environment.ts";
import { Keys } from "./keys.ts";
import { Scripts } from "./scripts.ts";
import { Turns } from "./turns.ts";

export interface EngineSettings {
  /** `redis://user:password@host:6379/0` */
  readonly redisUrl: string;
  /** The hash tag in front of every key, for example `{sluice}`. */
  readonly prefix: string;
  /** The environment's name: a process of another one is refused. Undefined asks nothing. */
  readonly environment?: string;
}

export class Engine {
  readonly settings: EngineSettings;
  readonly keys: Keys;
  readonly redis: Redis;
  readonly scripts: Scripts;
  readonly flow: FlowProducer;
  readonly #queues = new Map<string, Queue>();

  private constructor(settings: EngineSettings, keys: Keys, redis: Redis, turns: Turns) {
    this.settings = settings;
    this.keys = keys;
    this.redis = redis;
    this.scripts = new Scripts(this.redis, turns);
    this.flow = new FlowProducer({ connection: this.redis, prefix: this.keys.prefix });
    this.flow.on("error", () => {});
  }

  /**
   * `turns` are for those to share that a process has open at once. Throws `UnreachableError` when Redis
   * does not answer, `PermanentError` when it must not be used.
   */
  static async open(settings: EngineSettings, turns = new Turns()): Promise<Engine> {
    checkBullmq();
    const keys = new Keys(settings.prefix);
    const redis = connectRedis(settings.redisUrl);
    // Connected before BullMQ gets it: if a first connection breaks while BullMQ waits for it, BullMQ
    // keeps the rejection, and every later call of the process fails with "Connection is closed".
    await ensureRedis(redis, redisAddress(settings.redisUrl));
    const engine = new Engine(settings, keys, redis, turns);
    try {
      await engine.#checkEnvironment(false);
    } catch (error) {
      await engine.close();
      throw error;
    }
    return engine;
  }

  /** Before anything is enqueued or worked on: the prefix belongs to this process's environment. */
  async claim(): Promise<void> {
    await this.#checkEnvironment(true);
  }

  async #checkEnvironment(claim: boolean): Promise<void> {
    const { environment, redisUrl } = this.settings;
    if (environment === undefined) return;
    const address = redisAddress(redisUrl);
    await checkEnvironment(this.redis, this.keys, environment, { address, claim });
  }

  queue(name: string): Queue {
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = new Queue(name, { connection: this.redis, prefix: this.keys.prefix });
      queue.on("error", () => {});
      this.#queues.set(name, queue);
    }
    return queue;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
    await this.flow.close();
    this.redis.disconnect();
  }
}
