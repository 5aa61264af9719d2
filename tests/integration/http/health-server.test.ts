import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { EventHub } from "../../../src/core/events.ts";
import { UnreachableError } from "../../../src/core/errors.ts";
import { recordMetrics } from "../../../src/hooks/prometheus.ts";
import { startHealthServer } from "../../../src/http/health-server.ts";
import type { Listening } from "../../../src/http/listen.ts";

const metrics = recordMetrics(new EventHub(() => {}));
const local = { host: "127.0.0.1", port: 0 };
const servers: Listening[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

test("a process is alive whatever its stores do", async () => {
  const address = await serve(() => Promise.reject(new Error("Redis is away")));
  expect(await get(address, "/healthz")).toEqual([200, "ok\n"]);
});

test("a process is ready when its check says so", async () => {
  expect(await get(await serve(async () => "PONG"), "/readyz")).toEqual([200, "ready\n"]);
});

test("a process that cannot work says why, but shows no error of a library", async () => {
  const stopping = new UnreachableError("STOPPING", "Not ready: the worker is stopping");
  const ours = await serve(() => Promise.reject(stopping));
  expect(await get(ours, "/readyz")).toEqual([503, "Not ready: the worker is stopping\n"]);
  const theirs = await serve(() => Promise.reject(new Error("connect redis://u:pw@host")));
  expect(await get(theirs, "/readyz")).toEqual([503, "not ready\n"]);
});

test("a check that hangs makes the process not ready after two seconds", async () => {
  const address = await serve(() => new Promise(() => {}));
  const start = performance.now();
  expect(await get(address, "/readyz")).toEqual([503, "Not ready: no answer in 2 s\n"]);
  expect(performance.now() - start).toBeLessThan(3_000);
});

test("metrics are served as Prometheus reads them", async () => {
  const address = await serve(async () => {});
  const response = await fetch(`${address}/metrics?name=x`);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(await response.text()).toContain("# TYPE sluice_task_attempts_started_total counter");
});

test("other paths and methods are refused, odd ones too", async () => {
  const address = await serve(async () => {});
  expect(await get(address, "/")).toEqual([404, "not found\n"]);
  expect(await get(address, "//")).toEqual([404, "not found\n"]);
  expect((await fetch(`${address}/healthz`, { method: "POST" })).status).toBe(405);
  expect(await get(address, "/healthz")).toEqual([200, "ok\n"]);
});

test("a port that is taken is refused with the names of the settings", async () => {
  const taken = Number(new URL(await serve(async () => {})).port);
  await expect(
    startHealthServer({ host: "127.0.0.1", port: taken }, { ready: async () => {}, metrics }),
  ).rejects.toThrow(/Cannot listen on .* set SLUICE_HEALTH_HOST and SLUICE_HEALTH_PORT/);
});

test("close ends although a client keeps its connection", async () => {
  const server = await startHealthServer(local, { ready: async () => {}, metrics });
  const { hostname, port } = new URL(server.address);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  socket.write("GET /healthz HTTP/1.1\r\nHost: x\r\n");
  const start = performance.now();
  await server.close();
  expect(performance.now() - start).toBeLessThan(2_000);
  socket.destroy();
});

async function serve(ready: () => Promise<unknown>): Promise<string> {
  const server = await startHealthServer(local, { ready, metrics });
  servers.push(server);
  return server.address;
}

/** Not fetch: it would tidy the path. */
async function get(address: string, path: string): Promise<[number | undefined, string]> {
  const { hostname, port } = new URL(address);
  const call = request({ hostname, port, path }).end();
  const [response] = await once(call, "response");
  let body = "";
  for await (const chunk of response) body += chunk;
  return [response.statusCode, body];
}
