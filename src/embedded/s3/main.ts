/**
 * The development S3 server as a process of its own: `main.ts --dir D --port P [--host H]`, keys
 * in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. It prints one line `{"endpoint": …}` when it
 * listens and lives as long as its stdin, so the death of its parent, by kill -9 too, ends it.
 */
import { parseArgs } from "node:util";
import { messageOf, UsageError } from "../../core/errors.ts";
import { type S3Server, startS3Server } from "./server.ts";

const EXIT_USAGE = 2;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      dir: { type: "string" },
      port: { type: "string", default: "0" },
      host: { type: "string", default: "127.0.0.1" },
      region: { type: "string", default: "us-east-1" },
    },
  });
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = process.env;
  const { dir, host, region } = values;
  const port = Number(values.port);
  if (dir === undefined || !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw new UsageError("S3_SERVER_USAGE", "Usage: main.ts --dir FOLDER [--port 0..65535]");
  }
  if (!accessKeyId || !secretAccessKey) {
    throw new UsageError(
      "S3_SERVER_USAGE",
      "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: any pair, which clients then use too.",
    );
  }
  const onFailure = (failure: unknown): void => {
    process.stderr.write(`${JSON.stringify({ level: "error", msg: messageOf(failure) })}\n`);
  };
  const options = { dir, port, host, region, accessKeyId, secretAccessKey, onFailure };
  const server = await startS3Server(options);
  endWithParent(server);
  process.stdout.write(`${JSON.stringify({ endpoint: server.endpoint })}\n`);
}

function endWithParent(server: S3Server): void {
  const stop = (): void => {
    void server.close().finally(() => process.exit(0));
  };
  process.stdin.once("end", stop).once("error", stop).resume();
  process.once("SIGTERM", stop);
  // Ctrl-C reaches the whole group; the parent decides, so that it can still drain to S3.
  if (!process.stdin.isTTY) process.on("SIGINT", () => undefined);
}

main().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(error instanceof UsageError ? EXIT_USAGE : 1);
});
