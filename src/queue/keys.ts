/** Redis key names. One hash tag for everything, so that a Redis Cluster keeps it in one slot. */
import { UsageError } from "../core/errors.ts";

/** The prefix of BullMQ's keys and ours: one deployment (or environment) a prefix. */
export class Keys {
  readonly prefix: string;
  /** Prefix of our own keys: `done:<id>`, `waiters:<id>`, `attempt:<id>`. */
  readonly own: string;

  constructor(prefix: string) {
    if (!/^\{[A-Za-z0-9_.-]+\}$/.test(prefix)) {
      throw new UsageError(
        "PREFIX_INVALID",
        `${JSON.stringify(prefix)} cannot be the key prefix: it must be one Redis hash tag such as "{sluice}"`,
      );
    }
    this.prefix = prefix;
    this.own = `${prefix}:sluice:`;
  }

  queue(queue: string): string {
    return `${this.prefix}:${queue}`;
  }

  job(queue: string, id: string): string {
    return `${this.prefix}:${queue}:${id}`;
  }

  done(id: string): string {
    return `${this.own}done:${id}`;
  }

  waiters(id: string): string {
    return `${this.own}waiters:${id}`;
  }

  /** `tasks`, `task:<id>` or `runs`. */
  history(what: string): string {
    return `${this.own}history:${what}`;
  }

  /** The name of the environment that the prefix belongs to. */
  get environment(): string {
    return `${this.own}environment`;
  }

  /** Hash: the limits that operators set. */
  get limits(): string {
    return `${this.own}limits`;
  }

  /** Hash: who holds units of a resource. */
  resource(name: string): string {
    return `${this.own}resource:${name}`;
  }

  /** Sorted set: who waits for units of a resource. */
  line(name: string): string {
    return `${this.own}line:${name}`;
  }

  attempt(id: string): string {
    return `${this.own}attempt:${id}`;
  }
}
