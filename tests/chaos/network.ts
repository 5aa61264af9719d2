/** The network of a lane: each of its processes reaches Redis, Postgres and S3 through proxies of its own. */
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

export const SERVICES = ["redis", "postgres", "s3"] as const;
export type ServiceName = (typeof SERVICES)[number];

export type Wires = Readonly<Record<ServiceName, TcpProxy>>;

export class Network {
  readonly slots: readonly Wires[];

  private constructor(slots: readonly Wires[]) {
    this.slots = slots;
  }

  static async open(slots: number, ports: Readonly<Record<ServiceName, number>>): Promise<Network> {
    const open = async (): Promise<Wires> => ({
      redis: await startTcpProxy("127.0.0.1", ports.redis),
      postgres: await startTcpProxy("127.0.0.1", ports.postgres),
      s3: await startTcpProxy("127.0.0.1", ports.s3),
    });
    return new Network(await Promise.all(Array.from({ length: slots }, open)));
  }

  wires(slot: number): Wires {
    const wires = this.slots[slot];
    if (wires === undefined) throw new Error(`there is no slot ${slot}`);
    return wires;
  }

  /** A Redis that was started again listens somewhere else. */
  moveRedis(port: number): void {
    for (const { redis } of this.slots) redis.upstream = { host: "127.0.0.1", port };
  }

  /** As if nothing had ever been wrong with it; connections of former processes end. */
  repair(): void {
    for (const proxy of this.#all()) {
      proxy.rules = {};
      proxy.thaw();
      proxy.cutAll();
    }
  }

  close(): void {
    for (const proxy of this.#all()) proxy.close();
  }

  #all(): TcpProxy[] {
    return this.slots.flatMap((wires) => SERVICES.map((name) => wires[name]));
  }
}
