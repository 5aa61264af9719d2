/** Who may see the dashboard, and from where. */
import { once } from "node:events";
import { request } from "node:http";
import { appRoutes } from "@bull-board/api/dist/routes.js";
import { expect, test } from "vitest";
import { loginOf } from "../../../dashboard/login.ts";
import { startDashboard } from "../../../dashboard/start-dashboard.ts";
import { Secret } from "../../../src/core/secret.ts";
import { authorization, login, startBoard } from "./board.ts";

test("with a login, every route asks for it: pages, files and the whole API", async () => {
  const { address } = await startBoard({ auth: login });
  const html = await (await fetch(`${address}/queues`, { headers: { authorization } })).text();
  const files = [...html.matchAll(/(?:src|href)="(static\/[^"]+)"/g)].map(([, path]) => path);
  expect(files.length).toBeGreaterThan(3);

  const routes = [
    ["get", "/"],
    ["get", "/queues"],
    ["get", "/nothing-here"],
    ...files.map((path) => ["get", `/queues/${path}`]),
    ...[appRoutes.entryPoint, ...appRoutes.api].flatMap(({ method, route }) =>
      [route].flat().map((path) => [String(method), `/queues${path}`]),
    ),
  ];
  expect(routes.length).toBeGreaterThan(40);
  for (const [method = "", path = ""] of routes) {
    const response = await fetch(address + path, { method: method.toUpperCase() });
    expect([method, path, response.status]).toEqual([method, path, 401]);
  }
});

test.each([
  ["none", undefined],
  ["a wrong password", basic("operator:wrong")],
  ["a wrong user", basic("root:correct horse")],
  ["an empty password", basic("operator:")],
  ["the password only", basic("correct horse")],
  ["another scheme", authorization.replace("Basic", "Bearer")],
  ["no base64", "Basic !!!"],
])("%s is no login", async (_name, header) => {
  const { address } = await startBoard({ auth: login });
  const headers = header === undefined ? {} : { authorization: header };
  const response = await fetch(`${address}/queues`, { headers });
  expect(response.status).toBe(401);
  expect(response.headers.get("www-authenticate")).toMatch(/^Basic realm="Sluice"/);
});

test("the right login opens it; health needs none", async () => {
  const { address } = await startBoard({ auth: login });
  expect((await fetch(`${address}/`, { headers: { authorization } })).status).toBe(200);
  expect(await (await fetch(`${address}/healthz`)).text()).toBe("ok\n");
});

test.each(["0.0.0.0", "::", "192.0.2.1", "127.0.0.1.example.com", ""])(
  "without a login it refuses to listen on %j",
  async (host) => {
    const start = startDashboard({ host, port: 0, queues: [], onError: () => {} });
    await expect(start).rejects.toMatchObject({
      code: "DASHBOARD_OPEN",
      message: expect.stringMatching(/SLUICE_DASHBOARD_USER and SLUICE_DASHBOARD_PASSWORD/),
    });
  },
);

test("with a login it listens on every address", async () => {
  const { address } = await startBoard({ auth: login, host: "0.0.0.0" } as object);
  expect(address).toMatch(/^http:\/\/0\.0\.0\.0:/);
  expect((await fetch(address, { headers: { authorization } })).status).toBe(200);
});

test("without a login it answers to localhost only, so no rebound name gets in", async () => {
  const { address } = await startBoard();
  const { port } = new URL(address);
  expect(await statusFor(address, `localhost:${port}`)).toBe(200);
  expect(await statusFor(address, `127.0.0.1:${port}`)).toBe(200);
  expect(await statusFor(address, `evil.example:${port}`)).toBe(403);
  expect(await statusFor(address, "127.0.0.1.evil.example")).toBe(403);
});

test("half a login is refused, not ignored", () => {
  expect(loginOf(undefined, undefined)).toBeUndefined();
  expect(loginOf("operator", login.password)).toEqual(login);
  const incomplete = /needs both SLUICE_DASHBOARD_USER .* and SLUICE_DASHBOARD_PASSWORD/;
  expect(() => loginOf("operator", undefined)).toThrow(incomplete);
  expect(() => loginOf(undefined, login.password)).toThrow(incomplete);
  expect(() => loginOf("operator", new Secret(""))).toThrow(incomplete);
  expect(() => loginOf("ope:rator", login.password)).toThrow(incomplete);
});

function basic(text: string): string {
  return `Basic ${Buffer.from(text).toString("base64")}`;
}

/** Not fetch: it sets Host itself. */
async function statusFor(address: string, host: string): Promise<number | undefined> {
  const { hostname, port } = new URL(address);
  const [response] = await once(
    request({ hostname, port, path: "/queues", headers: { host } }).end(),
    "response",
  );
  response.resume();
  return response.statusCode;
}
