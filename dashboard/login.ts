/** Login by HTTP Basic: one user, compared in constant time, asked for on every path behind it. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { RequestHandler } from "express";
import { UsageError } from "../src/core/errors.ts";
import type { Secret } from "../src/core/secret.ts";

export interface Login {
  readonly user: string;
  readonly password: Secret;
}

/**
 * The login of two settings, or none if both are absent. One without the other, or a user name that
 * Basic cannot carry, is a `UsageError`: never an open dashboard by mistake.
 */
export function loginOf(user: string | undefined, password: Secret | undefined): Login | undefined {
  if (user === undefined && password === undefined) return undefined;
  if (!user || user.includes(":") || !password?.reveal()) {
    throw new UsageError(
      "LOGIN_INCOMPLETE",
      "The dashboard's login needs both SLUICE_DASHBOARD_USER (without a colon) and SLUICE_DASHBOARD_PASSWORD",
    );
  }
  return { user, password };
}

export function requireLogin({ user, password }: Login): RequestHandler {
  const expected = digest(`${user}:${password.reveal()}`);
  return (request, response, next) => {
    const [, encoded = ""] = /^Basic ([\w+/=-]+)$/i.exec(request.headers.authorization ?? "") ?? [];
    const given = digest(Buffer.from(encoded, "base64").toString("utf8"));
    if (timingSafeEqual(given, expected)) {
      next();
      return;
    }
    response
      .status(401)
      .set("WWW-Authenticate", 'Basic realm="Sluice", charset="UTF-8"')
      .type("text/plain")
      .send("Login required\n");
  };
}

/** Of equal length for any input, which `timingSafeEqual` needs. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
