import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { messageOf } from "../../../src/core/errors.ts";
import { EventHub } from "../../../src/core/events.ts";
import { Secret } from "../../../src/core/secret.ts";
import { Webhook, type WebhookSettings } from "../../../src/hooks/webhook.ts";
import { startReceiver } from "./receiver.ts";
import { failure, load } from "./sample-events.ts";

test("a failed task is posted once, with what an operator needs", async () => {
  const receiver = await startReceiver((response) => response.end());
  const { hub, webhook, counts } = hooked(`${receiver.address}/hooks/s3cret?token=t0ken`);
  hub.emit("task:started", load("d1"));
  hub.emit("task:retrying", { ...load("d1"), seconds: 1, error: failure });
  hub.emit("task:failed", { ...load("d1"), seconds: 2.5, error: failure });
  hub.emit("task:succeeded", { ...load("d2"), seconds: 1, rows: 1, bytes: 1 });
  await webhook.close(2_000);

  expect(receiver.received).toHaveLength(1);
  const { path, headers, body } = receiver.received[0]!;
  expect(path).toBe("/hooks/s3cret?token=t0ken");
  expect(headers).toMatchObject({
    "content-type": "application/json",
    "idempotency-key": "task:failed/LoadTable_d1_0123456789#attempt-of-d1",
  });
  expect(body).toEqual({
    event: "task:failed",
    environment: "staging",
    at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    task: { id: "LoadTable_d1_0123456789", name: "LoadTable(date=d1)", family: "LoadTable" },
    queue: "load",
    root: "AllTasks_d1_9876543210",
    attempt: { id: "attempt-of-d1", number: 1 },
    seconds: 2.5,
    rows: null,
    bytes: null,
    error: failure,
  });
  expect(await counts()).toEqual({ delivered: 1 });
});

test("an attempt that was lost is posted, too, under its own id", async () => {
  const receiver = await startReceiver((response) => response.end());
  const { hub, webhook } = hooked(receiver.address);
  hub.emit("task:lost", { ...load("d1"), seconds: 60, error: failure });
  hub.emit("task:failed", { ...load("d1"), seconds: 1, error: failure });
  await webhook.close(2_000);
  expect(receiver.received.map(({ headers }) => headers["idempotency-key"])).toEqual([
    "task:lost/LoadTable_d1_0123456789#attempt-of-d1",
    "task:failed/LoadTable_d1_0123456789#attempt-of-d1",
  ]);
  expect(receiver.received[0]?.body).toMatchObject({ event: "task:lost", error: failure });
});

test("retries and successes are posted when they are asked for", async () => {
  const receiver = await startReceiver((response) => response.end());
  const events = ["task:retrying", "task:succeeded"] as const;
  const { hub, webhook } = hooked(receiver.address, { events });
  hub.emit("task:retrying", { ...load("d1"), seconds: 1, error: failure });
  hub.emit("task:succeeded", { ...load("d1"), seconds: 1, rows: 5, bytes: 9 });
  hub.emit("task:failed", { ...load("d2"), seconds: 1, error: failure });
  await webhook.close(2_000);
  expect(receiver.received.map(({ body }) => body)).toMatchObject([
    { event: "task:retrying", error: { code: "BAD_ROW" } },
    { event: "task:succeeded", error: null, rows: 5, bytes: 9 },
  ]);
});

test("an error that may pass is tried again with the same idempotency key", async () => {
  const receiver = await startReceiver((response, number) =>
    response.writeHead(number === 1 ? 503 : 200).end(),
  );
  const { hub, webhook, counts } = hooked(receiver.address);
  hub.emit("task:failed", { ...load("d1"), seconds: 1, error: failure });
  await webhook.close(5_000);
  const keys = receiver.received.map(({ headers }) => headers["idempotency-key"]);
  expect(keys).toHaveLength(2);
  expect(new Set(keys).size).toBe(1);
  expect(await counts()).toEqual({ delivered: 1 });
});

test("a refusal is not tried again, and a redirect is not followed", async () => {
  const elsewhere = await startReceiver((response) => response.end());
  const receiver = await startReceiver((response, number) =>
    response.writeHead(number === 1 ? 400 : 302, { location: elsewhere.address }).end(),
  );
  const { hub, webhook, counts, reported } = hooked(receiver.address);
  hub.emit("task:failed", { ...load("d1"), seconds: 1, error: failure });
  hub.emit("task:failed", { ...load("d2"), seconds: 1, error: failure });
  await webhook.close(5_000);
  expect(receiver.received).toHaveLength(2);
  expect(elsewhere.received).toHaveLength(0);
  expect(await counts()).toEqual({ undelivered: 2 });
  expect(reported.map(messageOf)).toEqual([
    `LoadTable(date=d1): task:failed was not delivered. The webhook at ${receiver.address} did not take a notification (HTTP 400, try 1)`,
    `LoadTable(date=d2): task:failed was not delivered. The webhook at ${receiver.address} did not take a notification (HTTP 302, try 1)`,
  ]);
});

test("a receiver that never answers holds up nobody, and what waits is bounded", async () => {
  const receiver = await startReceiver(() => {});
  const { hub, webhook, counts } = hooked(receiver.address);
  const start = performance.now();
  for (let number = 0; number < 1_500; number += 1) {
    hub.emit("task:failed", { ...load(`d${number}`), seconds: 1, error: failure });
  }
  await hub.drain(10_000);
  expect(performance.now() - start).toBeLessThan(1_000);
  expect(await counts()).toEqual({ dropped: 499 });

  const closing = performance.now();
  await webhook.close(100);
  expect(performance.now() - closing).toBeLessThan(1_000);
  expect(await counts()).toEqual({ dropped: 1_499, undelivered: 1 });
});

test("a receiver that does not answer in two seconds is given up and asked again", async () => {
  const receiver = await startReceiver((response, number) => number > 1 && response.end());
  const { hub, webhook, counts } = hooked(receiver.address);
  const start = performance.now();
  hub.emit("task:failed", { ...load("d1"), seconds: 1, error: failure });
  await webhook.close(10_000);
  expect(performance.now() - start).toBeGreaterThan(1_900);
  expect(performance.now() - start).toBeLessThan(5_000);
  expect(await counts()).toEqual({ delivered: 1 });
});

test("a receiver that is down, cuts the connection or talks nonsense changes nothing", async () => {
  const receiver = await startReceiver((response, number) => {
    if (number === 1) response.socket?.destroy();
    else response.socket?.end("nonsense\r\n\r\n");
  });
  for (const address of [receiver.address, "http://127.0.0.1:9"]) {
    const { hub, webhook, counts, reported } = hooked(address);
    hub.emit("task:failed", { ...load("d1"), seconds: 1, error: failure });
    await hub.drain(100);
    await sleep(1_500);
    await webhook.close(0);
    expect(await counts()).toEqual({ undelivered: 1 });
    expect(reported).toHaveLength(1);
  }
});

test("a reporter that throws does not stop the notifications behind", async () => {
  const receiver = await startReceiver((response, number) =>
    response.writeHead(number === 1 ? 404 : 200).end(),
  );
  const { hub, webhook, counts } = hooked(receiver.address, {}, () => {
    throw new Error("the disk is full");
  });
  hub.emit("task:failed", { ...load("d1"), seconds: 1, error: failure });
  hub.emit("task:failed", { ...load("d2"), seconds: 1, error: failure });
  await webhook.close(2_000);
  expect(await counts()).toEqual({ undelivered: 1, delivered: 1 });
});

test("after close nothing is taken", async () => {
  const receiver = await startReceiver((response) => response.end());
  const { hub, webhook, counts } = hooked(receiver.address);
  await webhook.close(1_000);
  hub.emit("task:failed", { ...load("d1"), seconds: 1, error: failure });
  await hub.drain(1_000);
  expect(receiver.received).toHaveLength(0);
  expect(await counts()).toEqual({ dropped: 1 });
});

test("a login in the URL is sent as a header, and no part of the URL is ever shown", async () => {
  const receiver = await startReceiver((response) => response.writeHead(403).end());
  const { host } = new URL(receiver.address);
  const { hub, webhook, reported } = hooked(`http://me:p%40ss@${host}/s3cret`);
  hub.emit("task:failed", { ...load("d1"), seconds: 1, error: failure });
  await webhook.close(2_000);
  expect(receiver.received[0]?.headers.authorization).toBe(
    `Basic ${Buffer.from("me:p@ss").toString("base64")}`,
  );
  expect(reported).toHaveLength(1);
  expect(inspect({ reported, webhook }, { depth: 9 })).not.toMatch(/s3cret|p%40ss|p@ss/);
});

test.each(["hooks.example.com/s3cret", "ftp://host/s3cret", "http://s3cret:bad port/"])(
  "%s is refused without being shown",
  (url) => {
    const build = () => hooked(url);
    expect(build).toThrow("SLUICE_WEBHOOK_URL is no address of a webhook");
    expect(build).not.toThrow("s3cret");
  },
);

function hooked(
  url: string,
  settings: Partial<WebhookSettings> = {},
  report: (error: Error) => void = () => {},
) {
  const hub = new EventHub((error) => reported.push(error));
  const registry = new Registry();
  const reported: unknown[] = [];
  const webhook = new Webhook(
    { url: new Secret(url), environment: "staging", ...settings },
    { hub, registry },
    (error) => {
      reported.push(error);
      report(error);
    },
  );
  const counts = async () => {
    const metric = await registry.getSingleMetric("sluice_webhook_notifications_total")?.get();
    return Object.fromEntries(
      (metric?.values ?? []).map(({ labels, value }) => [String(labels["outcome"]), value]),
    );
  };
  return { hub, webhook, counts, reported };
}
