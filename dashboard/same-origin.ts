/**
 * Keeps other web sites from acting through a signed-in browser (CSRF). A request that changes
 * something must come from our own pages, and its body must be JSON, which a foreign page cannot send
 * without asking first. Bull Board alone accepts a cross-site `text/plain` POST and creates a job.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { RequestHandler } from "express";

const READS = new Set(["GET", "HEAD", "OPTIONS"]);

export const requireSameOrigin: RequestHandler = (request, response, next) => {
  if (READS.has(request.method)) {
    next();
  } else if (!comesFromUs(request.headers)) {
    response.status(403).type("text/plain").send("Refused: the request comes from another site\n");
  } else if (hasBody(request.headers) && !request.is("application/json")) {
    response.status(415).type("text/plain").send("Refused: send application/json\n");
  } else {
    next();
  }
};

/**
 * Browsers send `Sec-Fetch-Site` (to https and localhost) or at least `Origin`. A request with
 * neither is from no browser (curl, a script), so no site could have forged it.
 */
function comesFromUs(headers: IncomingHttpHeaders): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined) return site === "same-origin" || site === "none";
  const { origin, host } = headers;
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}

/** Not Express's own test: to that, `Content-Length: 0` is a body. */
function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}
