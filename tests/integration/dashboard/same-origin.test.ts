/** Other web sites cannot act through an operator's browser. */
import { once } from "node:events";
import { request } from "node:http";
import { expect, test } from "vitest";
import { startBoard, type Board } from "./board.ts";

test("a cross-site text/plain POST adds no job", async () => {
  const board = await startBoard();
  const status = await send(board, "POST", "add", {
    "sec-fetch-site": "cross-site",
    origin: "https://evil.example",
    "content-type": "text/plain",
  });
  expect(status).toBe(403);
  expect(await board.queue.getJobCountByTypes("wait", "delayed", "prioritized")).toBe(0);
});

test.each([
  ["another site", { "sec-fetch-site": "cross-site" }],
  ["a sibling domain", { "sec-fetch-site": "same-site" }],
  ["another origin, in a browser that sends only that", { origin: "https://evil.example" }],
  ["another port", { origin: "http://127.0.0.1:1" }],
  ["a sandboxed frame", { origin: "null" }],
])("%s may not pause a queue", async (_name, headers) => {
  const board = await startBoard();
  expect(await send(board, "PUT", "pause", headers)).toBe(403);
  expect(await board.queue.isPaused()).toBe(false);
});

test.each([
  ["our own page", () => ({ "sec-fetch-site": "same-origin" })],
  ["our own page in an older browser", ({ address }: Board) => ({ origin: address })],
  ["a command-line client", () => ({})],
])("%s may pause a queue", async (_name, headers) => {
  const board = await startBoard();
  expect(await send(board, "PUT", "pause", headers(board))).toBe(200);
  expect(await board.queue.isPaused()).toBe(true);
});

test("a body that is no JSON is refused", async () => {
  const board = await startBoard();
  const headers = { "sec-fetch-site": "same-origin", "content-type": "text/plain" };
  expect(await send(board, "PUT", "concurrency", headers)).toBe(415);
});

test("reading from another site's link is allowed: nothing changes by GET", async () => {
  const { address } = await startBoard();
  const headers = { "sec-fetch-site": "cross-site" };
  expect((await fetch(`${address}/queues`, { headers })).status).toBe(200);
});

/** Not fetch: it refuses to set these headers. */
async function send(
  { address, queue }: Board,
  method: "POST" | "PUT",
  action: string,
  headers: Record<string, string>,
): Promise<number | undefined> {
  const { hostname, port } = new URL(address);
  const path = `/queues/api/queues/${queue.name}/${action}`;
  const call = request({ hostname, port, path, method, headers });
  if ("content-type" in headers) call.end('{"name":"x","data":{},"options":{}}');
  else call.setHeader("content-length", 0).end();
  const [response] = await once(call, "response");
  response.resume();
  return response.statusCode;
}
