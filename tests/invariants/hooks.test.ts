/** INV9: whatever hooks do, tasks end as they would without. */
import { createServer } from "node:net";
import { Registry } from "prom-client";
import { afterEach, expect, test } from "vitest";
import { defineTask, defineWrapper } from "../../src/core/define.ts";
import { PermanentError } from "../../src/core/errors.ts";
import type { EventHub } from "../../src/core/events.ts";
import { Secret } from "../../src/core/secret.ts";
import { Webhook } from "../../src/hooks/webhook.ts";
import { FaultProxy } from "../faults/wire/fault-proxy.ts";
import { httpProtocol } from "../faults/wire/http.ts";
import { startReceiver } from "../integration/hooks/receiver.ts";
import { pipeline, statesOf } from "../support/pipeline.ts";

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const EVENTS = [
  "task:started",
  "task:succeeded",
  "task:retrying",
  "task:failed",
  "task:released",
] as const;

/** Hooks that misbehave, by what they do. */
const hooks: Readonly<Record<string, (hub: EventHub) => void | Promise<void>>> = {
  "is not there": () => {},
  throws: (hub) =>
    on(hub, () => {
      throw new Error("a hook that throws");
    }),
  rejects: (hub) => on(hub, () => Promise.reject(new Error("a hook that rejects"))),
  "rejects with nothing": (hub) => on(hub, () => Promise.reject(undefined)),
  "never ends": (hub) => on(hub, () => new Promise<void>(() => {})),
  "posts to nobody": (hub) => post(hub, "http://127.0.0.1:1/"),
  "posts into a black hole": async (hub) => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    closers.push(() => silent.close());
    const address = silent.address();
    post(hub, `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`);
  },
};

function on(hub: EventHub, listener: () => void | Promise<void>): void {
  for (const event of EVENTS) hub.on(event, listener);
}

function post(hub: EventHub, url: string): void {
  const settings = {
    url: new Secret(url),
    environment: "test",
    events: EVENTS.filter((each) => each !== "task:started" && each !== "task:released"),
  };
  const webhook = new Webhook(settings, { hub, registry: new Registry() }, () => {});
  closers.push(() => webhook.close(0));
}

test.each(Object.entries(hooks))("INV9 a hook that %s changes no state", async (_, hang) => {
  let tries = 0;
  const Good = defineTask({ name: "Good" }, () => ({ rows: 1 }));
  const Flaky = defineTask({ name: "Flaky", retry: { attempts: 3, backoff: "1ms" } }, () => {
    tries += 1;
    if (tries < 3) throw new Error("not yet");
  });
  const Bad = defineTask({ name: "Bad" }, () => {
    throw new PermanentError("BAD_DATA", "line 42");
  });
  const Asking = defineTask({ name: "Asking" }, function* () {
    return yield* Good();
  });
  const Root = defineWrapper({ name: "Root", requires: () => [Asking(), Flaky(), Bad()] });
  const line = await pipeline([Good, Flaky, Bad, Asking, Root]);
  await hang(line.events);
  await line.work();
  expect(statesOf(await line.run(Root()))).toEqual({
    "Root()": "blocked",
    "Asking()": "complete",
    "Good()": "complete",
    "Flaky()": "complete",
    "Bad()": "failed",
  });
  expect(tries).toBe(3);
  const failed = await line.engine.queue("default").getJob(Bad().id);
  expect([failed?.attemptsMade, failed?.failedReason]).toEqual([1, "line 42"]);
});

test("INV8 a notification whose call goes wrong in any way is told once, by its key", async () => {
  for (const kind of ["error-before", "execute-then-error", "truncate", "delay"] as const) {
    const receiver = await startReceiver((response) => response.end());
    const { proxy, url } = await FaultProxy.before(httpProtocol, receiver.address);
    proxy.decide = ({ nth }) => {
      if (nth !== 1) return undefined;
      return kind === "delay" ? { kind, milliseconds: 100 } : { kind };
    };
    const Bad = defineTask({ name: "Bad" }, () => {
      throw new PermanentError("BAD_DATA", "line 42");
    });
    const line = await pipeline([Bad]);
    const webhook = new Webhook(
      { url: new Secret(url), environment: "test" },
      { hub: line.events, registry: new Registry() },
      () => {},
    );
    await line.work();
    expect(statesOf(await line.run(Bad()))).toEqual({ "Bad()": "failed" });
    await webhook.close(5_000);
    proxy.close();
    const keys = receiver.received.map(({ headers }) => headers["idempotency-key"]);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^task:failed\/Bad__99914b932b#|^task:failed\/Bad/);
  }
});
