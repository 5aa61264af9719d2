/**
 * One request and its answer: read, route, handle, reply. Whatever goes wrong becomes an S3 error,
 * or, if the answer has begun or the client is gone, the end of the connection.
 */
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { messageOf } from "../../core/errors.ts";
import { S3Error } from "./error.ts";
import { writeError, writeReply } from "./reply.ts";
import { readRequest } from "./request.ts";
import { route } from "./router.ts";
import type { Credentials } from "./sigv4.ts";
import type { Store } from "./store.ts";

export interface Exchange {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  /** Whether the client sends its body only after `100 Continue`. */
  readonly waits: boolean;
}

export interface Service {
  readonly store: Store;
  readonly credentials: Credentials;
  readonly onFailure: (failure: unknown) => void;
}

/** Answers one request; it never rejects. */
export async function answer(exchange: Exchange, service: Service): Promise<void> {
  const { incoming, response } = exchange;
  const id = randomBytes(8).toString("hex");
  response.setHeader("x-amz-request-id", id);
  response.setHeader("server", "sluice-s3");
  try {
    await handle(exchange, service, id);
  } catch (thrown) {
    const [resource = "/"] = (incoming.url ?? "/").split("?", 1);
    const isHead = incoming.method === "HEAD";
    const clientLeft = incoming.destroyed && !incoming.complete;
    if (!(thrown instanceof S3Error) && !clientLeft && !response.destroyed)
      service.onFailure(thrown);
    if (response.headersSent || response.destroyed) response.destroy();
    else writeError(response, asS3Error(thrown), { id, resource, isHead });
  } finally {
    // What nobody read must not stand between this request and the next of its connection.
    incoming.resume();
  }
}

async function handle(
  { incoming, response, waits }: Exchange,
  { store, credentials }: Service,
  id: string,
): Promise<void> {
  // A client that was not invited may or may not send its body, so its connection cannot go on.
  if (waits) response.setHeader("connection", "close");
  const invitesBody = (): void => {
    if (!waits) return;
    response.removeHeader("connection");
    response.writeContinue();
  };
  const request = readRequest(incoming, credentials, { id, now: Date.now(), invitesBody });
  const operation = route(request);
  await writeReply(response, await operation.handle(request, store));
}

function asS3Error(thrown: unknown): S3Error {
  return thrown instanceof S3Error ? thrown : new S3Error("InternalError", messageOf(thrown));
}
