/** A webhook's receiver: a real HTTP server that keeps what it gets and answers as it is told. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { listen } from "../../../src/http/listen.ts";
import { afterEveryFile } from "../../support/closing.ts";

export interface Received {
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: { readonly event: string; readonly task: { readonly id: string } };
}

export interface Receiver {
  readonly address: string;
  readonly received: Received[];
}

const servers: { close(): Promise<void> }[] = [];
afterEveryFile("servers", () => Promise.all(servers.splice(0).map((server) => server.close())));

/** `respond` gets the number of the request, from 1. */
export async function startReceiver(
  respond: (response: ServerResponse, number: number) => void,
): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      received.push({ path: request.url, headers: request.headers, body: JSON.parse(body) });
      respond(response, received.length);
    });
  });
  const listening = await listen(server, { host: "127.0.0.1", port: 0 }, "TEST");
  servers.push(listening);
  return { address: listening.address, received };
}
