/**
 * The dashboard as an Express app: Bull Board at `/queues`, behind a login if one is given, closed to
 * other sites, working without the internet. It opens no port: see `start-dashboard.ts`.
 */
import type { Queue } from "bullmq";
import express, { type ErrorRequestHandler, type Express } from "express";
import helmet from "helmet";
import { bullBoard } from "./bull-board.ts";
import { requireLogin, type Login } from "./login.ts";
import { requireLoopbackName } from "./loopback.ts";
import { requireSameOrigin } from "./same-origin.ts";

export interface DashboardOptions {
  /** Every queue of the project, all of one prefix. */
  readonly queues: readonly Queue[];
  /** Shown as a bar on every page: red for `production`, amber for `staging`. */
  readonly environment?: string | undefined;
  /** Without a login, only requests to localhost are answered. */
  readonly auth?: Login | undefined;
  /** Refuses every action, retries too. */
  readonly readOnly?: boolean;
  /** Gets what a page answers with "internal error". */
  readonly onError: (error: unknown) => void;
}

export function createDashboard(options: DashboardOptions): Express {
  const { queues, environment, auth, readOnly = false, onError } = options;
  const app = express().disable("x-powered-by");
  app.use(securityHeaders());
  // Open, and silent about everything but that the process lives.
  app.get("/healthz", (_request, response) => {
    response.type("text/plain").send("ok\n");
  });
  app.use(auth === undefined ? requireLoopbackName : requireLogin(auth));
  app.use(requireSameOrigin);
  app.get("/", (_request, response) => response.redirect("/queues"));
  app.use("/queues", bullBoard("/queues", { queues, environment, readOnly, onError }));
  app.use((_request, response) => {
    response.status(404).type("text/plain").send("Not found\n");
  });
  app.use(answerError(onError));
  return app;
}

function securityHeaders(): express.RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        // Bull Board sets styles on elements.
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
      },
    },
    // Whoever ends TLS in front of us decides this; over plain HTTP it would lock people out.
    strictTransportSecurity: false,
  });
}

function answerError(onError: (error: unknown) => void): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (response.headersSent) {
      next(error);
    } else if (isBadRequest(error)) {
      response.status(400).type("text/plain").send("Bad request\n");
    } else {
      onError(error);
      response.status(500).type("text/plain").send("Internal error: see the dashboard's log\n");
    }
  };
}

/** Express marks what the client did wrong, such as a malformed path, by a status of 4xx. */
function isBadRequest(error: unknown): boolean {
  const status = error instanceof Error && "status" in error ? Number(error.status) : 500;
  return status >= 400 && status < 500;
}
