/**
 * Which addresses only this machine can reach. A dashboard without a login answers to no other name:
 * a foreign web page whose name was made to resolve to 127.0.0.1 (DNS rebinding) would otherwise
 * count as the same origin.
 */
import type { RequestHandler } from "express";

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

export const requireLoopbackName: RequestHandler = (request, response, next) => {
  const name = (request.headers.host ?? "").replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
  if (isLoopback(name)) {
    next();
    return;
  }
  response
    .status(403)
    .type("text/plain")
    .send(
      "Without a login the dashboard answers only to localhost: set SLUICE_DASHBOARD_USER and SLUICE_DASHBOARD_PASSWORD\n",
    );
};
