/** What operators can and cannot do in Bull Board. */
import { appRoutes } from "@bull-board/api/dist/routes.js";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { redisUrl } from "../../support/services.ts";
import { startBoard, type Board } from "./board.ts";

test("a failed job is retried", async () => {
  const board = await startBoard();
  const job = await board.queue.add("LoadTable", { family: "LoadTable" }, { jobId: "LoadTable_1" });
  await board.failOne();
  expect(await job.getState()).toBe("failed");
  expect(await put(board, "LoadTable_1/retry")).toMatchObject({ status: 204 });
  expect(await job.getState()).toBe("waiting");
});

test("all failed jobs of a queue are retried", async () => {
  const board = await startBoard();
  await board.queue.addBulk([
    { name: "a", data: {} },
    { name: "b", data: {} },
  ]);
  await board.failOne();
  await board.failOne();
  expect(await put(board, "retry/failed")).toEqual({
    status: 200,
    body: { retried: 2, skipped: 0 },
  });
  expect(await board.queue.getWaitingCount()).toBe(2);
});

test("a complete job is not run again", async () => {
  const board = await startBoard();
  await board.queue.add("LoadTable", {}, { jobId: "LoadTable_1" });
  await board.completeOne();
  const refusal = {
    status: 403,
    body: {
      message: "Retry is for tasks that failed: this one is complete, and its output exists.",
    },
  };
  expect(await put(board, "LoadTable_1/retry")).toMatchObject(refusal);
  expect(await put(board, "retry/completed")).toMatchObject(refusal);
  expect(await board.queue.getCompletedCount()).toBe(1);
});

test.each([
  ["put", "obliterate"],
  ["put", "empty"],
  ["put", "clean/wait"],
  ["put", "LoadTable_1/clean"],
  ["put", "LoadTable_1/remove-unprocessed-children"],
])("%s %s would cut the graph: it is refused, and says what to do", async (method, action) => {
  const board = await startBoard();
  await board.queue.add("LoadTable", {}, { jobId: "LoadTable_1" });
  expect(await call(board, method, action, { force: true })).toMatchObject({
    status: 403,
    body: { message: expect.stringMatching(/^Removing jobs .* Pause the queue .* or Retry/) },
  });
  expect(await board.queue.getWaitingCount()).toBe(1);
});

test("adding a job and changing its data are refused: they would be no task", async () => {
  const board = await startBoard();
  const job = await board.queue.add("LoadTable", { day: 1 }, { jobId: "LoadTable_1" });
  const refusal = { status: 403, body: { message: expect.stringContaining("sluice run") } };
  expect(await call(board, "post", "add", { name: "x", data: {} })).toMatchObject(refusal);
  const change = { jobData: { day: 2 } };
  expect(await call(board, "patch", "LoadTable_1/update-data", change)).toMatchObject(refusal);
  expect(await board.queue.getWaitingCount()).toBe(1);
  expect((await board.queue.getJob(String(job.id)))?.data).toEqual({ day: 1 });
});

test("every route of Bull Board that changes something is either allowed or refused with a reason", async () => {
  const board = await startBoard();
  const actions = appRoutes.api.filter(({ method }) => method !== "get");
  const answers = [];
  for (const { method, route } of actions) {
    const path = String(route).replace(":queueName", board.queue.name).replace(/:\w+/g, "x");
    const response = await fetch(`${board.address}/queues${path}`, {
      method: String(method).toUpperCase(),
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    const forbidden = response.status === 403;
    answers.push({ route, forbidden, text: await response.text() });
  }
  expect(answers.filter(({ forbidden }) => !forbidden)).toHaveLength(14);
  expect(answers.filter(({ text }) => text.includes("not part of"))).toEqual([]);
});

test("a read-only board refuses every action", async () => {
  const board = await startBoard({ readOnly: true });
  await board.queue.add("LoadTable", {}, { jobId: "LoadTable_1" });
  await board.failOne();
  for (const { method, route } of appRoutes.api.filter(({ method }) => method !== "get")) {
    const path = String(route)
      .replace(":queueName", board.queue.name)
      .replace(":jobId", "LoadTable_1");
    const response = await fetch(`${board.address}/queues${path.replace(/:\w+/g, "failed")}`, {
      method: String(method).toUpperCase(),
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ concurrency: 1, max: 1, duration: 1000 }),
    });
    expect([route, response.status]).toEqual([route, 403]);
  }
  expect(await board.queue.isPaused()).toBe(false);
  expect(await board.queue.getFailedCount()).toBe(1);
});

test("the page names the environment and asks no other host for anything", async () => {
  const { address } = await startBoard({ environment: "production" });
  const response = await fetch(`${address}/queues`);
  const html = await response.text();
  expect(html).toContain('"environment":{"label":"production","color":"#b42318"');
  expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  const policy = response.headers.get("content-security-policy") ?? "";
  expect(policy).toContain("default-src 'self'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toMatch(/https?:|upgrade-insecure-requests/);
  expect(response.headers.get("strict-transport-security")).toBeNull();
  expect(response.headers.get("x-powered-by")).toBeNull();
});

test("errors show no stack and no message of a library", async () => {
  const before = process.env["NODE_ENV"];
  process.env["NODE_ENV"] = "development";
  try {
    const board = await startBoard();
    const malformed = await fetch(`${board.address}/queues/api/queues/${board.queue.name}/add`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{",
    });
    expect(malformed.status).toBe(400);
    expect(await malformed.text()).toBe('{"error":{"key":"ERRORS.INVALID_REQUEST_BODY"}}');
    expect((await fetch(`${board.address}/queues/queue/%E0%A4%A`)).status).toBe(400);
    expect((await fetch(`${board.address}/nowhere`)).status).toBe(404);
    expect(board.errors).toEqual([]);

    // A key of the wrong type: Redis answers with an error.
    const redis = new Redis(await redisUrl());
    await redis.set(board.queue.toKey("LoadTable_1"), "text");
    await redis.quit();
    const broken = await fetch(
      `${board.address}/queues/api/queues/${board.queue.name}/LoadTable_1`,
    );
    expect(broken.status).toBe(500);
    expect(await broken.text()).toBe('{"error":{"key":"ERRORS.INTERNAL_SERVER_ERROR"}}');
    expect(board.errors).toHaveLength(1);
  } finally {
    process.env["NODE_ENV"] = before;
  }
});

function put(board: Board, action: string) {
  return call(board, "put", action);
}

async function call(board: Board, method: string, action: string, body: object = {}) {
  const response = await fetch(`${board.address}/queues/api/queues/${board.queue.name}/${action}`, {
    method: method.toUpperCase(),
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : (JSON.parse(text) as unknown) };
}
