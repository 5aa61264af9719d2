/** In front of the S3 server: a policy that lets everybody read and nobody write. */
import { createServer, request as forward } from "node:http";
import { onTestFinished } from "vitest";
import { listen } from "../../../src/http/listen.ts";

const DENIED = `<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`;

/** Its endpoint. Closed after the test. */
export async function startReadOnlyS3(endpoint: string): Promise<string> {
  const { hostname, port } = new URL(endpoint);
  const server = createServer((request, response) => {
    const { method, url: path, headers } = request;
    if (method !== "GET" && method !== "HEAD") {
      request.resume().on("end", () => {
        response.writeHead(403, { "content-type": "application/xml" }).end(DENIED);
      });
      return;
    }
    // The headers as they are: the host is part of what was signed.
    forward({ hostname, port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    }).end();
  });
  const listening = await listen(server, { host: "127.0.0.1", port: 0 }, "TEST");
  onTestFinished(() => listening.close());
  return listening.address;
}
