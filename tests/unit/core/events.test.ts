import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { EventHub, type SluiceEvents } from "../../../src/core/events.ts";

const started: SluiceEvents["task:started"] = {
  task: { id: "A__1", name: "A()", family: "A" },
  queue: "default",
  root: "A__1",
  attempt: { id: "x", number: 1 },
};

test("listeners that throw, now or later, reach neither the caller nor each other", async () => {
  const errors: string[] = [];
  const hub = new EventHub((error, event) => errors.push(`${event}: ${String(error)}`));
  const heard: string[] = [];
  hub.on("task:started", () => {
    throw new Error("at once");
  });
  hub.on("task:started", async () => {
    await sleep(5);
    throw new Error("later");
  });
  hub.on("task:started", ({ task }) => void heard.push(task.name));
  hub.on("task:failed", () => void heard.push("not this one"));
  hub.emit("task:started", started);
  expect(heard).toEqual(["A()"]);
  await hub.drain(1_000);
  expect(errors).toEqual(["task:started: Error: at once", "task:started: Error: later"]);
});

test("the caller does not wait for a slow listener; drain does, and only so long", async () => {
  const hub = new EventHub(() => {});
  let heard = 0;
  hub.on("task:started", async () => {
    await sleep(30);
    heard += 1;
  });
  hub.emit("task:started", started);
  expect(heard).toBe(0);
  await hub.drain(5_000);
  expect(heard).toBe(1);

  const stuck = new EventHub(() => {});
  stuck.on("task:started", () => new Promise<void>(() => {}));
  stuck.emit("task:started", started);
  const before = performance.now();
  await stuck.drain(20);
  expect(performance.now() - before).toBeLessThan(1_000);
});
