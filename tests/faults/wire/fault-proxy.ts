/**
 * A proxy in front of a real service that understands where calls begin, counts them, and does to one of
 * them what it is told. Clients and servers are the real ones: nothing in `src` knows of it.
 */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Conversation, Frame, Protocol } from "./protocol.ts";

/** The nth call of its name, from 1, over all connections. */
export interface Call {
  readonly name: string;
  readonly nth: number;
}

/**
 * error-before        refused, or the connection breaks, and the server never hears of it
 * execute-then-error  the server does it; the client hears an error, or its connection breaks
 * execute-then-cut    the server does it, and the connection breaks: a client may repeat it by itself
 * delay               it arrives, later
 * hang                nothing moves any more, and no connection is closed; for good, or for so long
 * truncate            half of the answer arrives, then the connection breaks
 * halt-before, -after somebody dies: `halt` is called, and nothing is passed on any more
 */
export type Fault =
  | { readonly kind: "error-before" | "execute-then-error" | "execute-then-cut" | "truncate" }
  | { readonly kind: "delay"; readonly milliseconds: number }
  | { readonly kind: "hang"; readonly milliseconds?: number }
  | { readonly kind: "halt-before" | "halt-after"; readonly halt: () => void };

export class FaultProxy {
  readonly calls: Call[] = [];
  /** Asked for every call. */
  decide: (call: Call) => Fault | undefined = () => undefined;
  readonly #protocol: Protocol;
  readonly #upstream: { readonly host: string; readonly port: number };
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #counts = new Map<string, number>();

  private constructor(protocol: Protocol, upstream: { host: string; port: number }) {
    this.#protocol = protocol;
    this.#upstream = upstream;
    this.#server = createServer((client) => this.#link(client));
  }

  /** The proxy, and the URL that goes through it. */
  static async before(
    protocol: Protocol,
    url: string,
  ): Promise<{ proxy: FaultProxy; url: string }> {
    const through = new URL(url);
    const proxy = new FaultProxy(protocol, {
      host: through.hostname,
      port: Number(through.port),
    });
    await new Promise<void>((resolve) => {
      proxy.#server.listen(0, "127.0.0.1", resolve);
    });
    const address = proxy.#server.address();
    if (typeof address !== "object" || address === null) throw new Error("no port");
    through.host = `127.0.0.1:${address.port}`;
    return { proxy, url: through.href.replace(/\/$/, "") };
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #count(name: string): Call {
    const nth = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, nth);
    const call = { name, nth };
    this.calls.push(call);
    return call;
  }

  #link(client: Socket): void {
    const upstream = connect(this.#upstream);
    for (const socket of [client, upstream]) {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => this.#sockets.delete(socket));
    }
    Link.between(this.#protocol, client, upstream, (name) => {
      const call = this.#count(name);
      return this.decide(call);
    });
  }
}

/**
 * What becomes of the server's bytes. `drop`: nothing moves in either direction any more; `dead` is the
 * same, but whoever goes is heard to hang up.
 */
type Rule = "pass" | "swallow" | "truncate" | "drop" | "dead";

/** One connection of a client, and its own to the server. */
class Link {
  readonly #protocol: Protocol;
  readonly #conversation: Conversation;
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #decide: (name: string) => Fault | undefined;
  readonly #frames: Frame[] = [];
  #busy = false;
  #rule: Rule = "pass";
  #onAnswered: (() => void) | undefined;

  private constructor(
    protocol: Protocol,
    client: Socket,
    upstream: Socket,
    decide: (name: string) => Fault | undefined,
  ) {
    this.#protocol = protocol;
    this.#conversation = protocol.converse();
    this.#client = client;
    this.#upstream = upstream;
    this.#decide = decide;
  }

  static between(
    protocol: Protocol,
    client: Socket,
    upstream: Socket,
    decide: (name: string) => Fault | undefined,
  ): void {
    const link = new Link(protocol, client, upstream, decide);
    link.#listen();
  }

  #listen(): void {
    const client = this.#client;
    const upstream = this.#upstream;
    client.on("data", (bytes) => {
      this.#frames.push(...this.#conversation.requests(bytes));
      void this.#work();
    });
    upstream.on("data", (bytes) => {
      const isWhole = this.#conversation.answered(bytes);
      if (this.#rule === "truncate") client.write(bytes.subarray(0, Math.ceil(bytes.length / 2)));
      if (this.#rule === "pass") client.write(bytes);
      if (isWhole || this.#rule === "truncate") this.#onAnswered?.();
    });
    // In a black hole neither side hears that the other has gone.
    client.once("close", () => this.#rule !== "drop" && upstream.destroy());
    upstream.once("close", () => this.#rule !== "drop" && client.destroy());
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let frame = this.#frames.shift(); frame !== undefined; frame = this.#frames.shift()) {
      if (["drop", "dead"].includes(this.#rule) || this.#upstream.destroyed) continue;
      const fault = frame.call === undefined ? undefined : this.#decide(frame.call);
      if (fault === undefined) await this.#pass(frame);
      else await this.#injure(frame, fault);
    }
    this.#busy = false;
  }

  async #injure(frame: Frame, fault: Fault): Promise<void> {
    const { refusal } = this.#protocol;
    const refuse = () => {
      if (refusal === undefined) this.#cut();
      else this.#client.write(refusal(frame));
    };
    switch (fault.kind) {
      case "error-before":
        return refuse();
      case "execute-then-error":
        return this.#pass(frame, "swallow", refuse);
      case "execute-then-cut":
        return this.#pass(frame, "swallow", () => this.#cut());
      case "truncate":
        return this.#pass(frame, "truncate", () => this.#cut());
      case "delay":
        await sleep(fault.milliseconds);
        return this.#pass(frame);
      case "hang":
        if (fault.milliseconds === undefined) {
          this.#rule = "drop";
          return;
        }
        await sleep(fault.milliseconds);
        return this.#pass(frame);
      case "halt-before":
        this.#rule = "dead";
        return fault.halt();
      case "halt-after":
        return this.#pass(frame, "swallow", () => {
          this.#rule = "dead";
          fault.halt();
        });
    }
  }

  /** The call goes to the server; its answer is treated by `rule`, and then `after` happens. */
  async #pass(frame: Frame, rule: Rule = "pass", after?: () => void): Promise<void> {
    if (frame.call === undefined) {
      // A body follows its head, so the answer is not waited for before it.
      if (!this.#upstream.write(frame.bytes)) await once(this.#upstream, "drain");
      return;
    }
    this.#rule = rule;
    const isOver = new Promise<void>((resolve) => {
      this.#onAnswered = () => {
        this.#onAnswered = undefined;
        if (this.#rule === "swallow") this.#rule = "pass";
        after?.();
        resolve();
      };
    });
    this.#conversation.forwarded?.(frame);
    this.#upstream.write(frame.bytes);
    if (this.#protocol.oneByOne) await isOver;
  }

  #cut(): void {
    this.#client.destroy();
    this.#upstream.destroy();
  }
}
