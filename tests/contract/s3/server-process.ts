/**
 * The server as a process of its own, started as a development stack starts it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { S3Client } from "@aws-sdk/client-s3";

const MAIN = fileURLToPath(new URL("../../../src/embedded/s3/main.ts", import.meta.url));
const accessKeyId = "process";
const secretAccessKey = "process-secret";

export interface ServerProcess {
  readonly child: ChildProcess;
  readonly endpoint: string;
  readonly exited: Promise<unknown>;
}

/** Spawns the server and waits until it listens. */
export async function spawnServer(dir: string): Promise<ServerProcess> {
  const child = spawnMain(["--dir", dir, "--port", "0"]);
  const exited = once(child, "exit");
  const line = await Promise.race([
    once(createInterface({ input: child.stdout }), "line"),
    exited.then(() => Promise.reject(new Error("the server ended before it listened"))),
  ]);
  const { endpoint }: { endpoint: string } = JSON.parse(String(line[0]));
  return { child, endpoint, exited };
}

/** Spawns the entry point with any arguments. */
export function spawnMain(args: readonly string[], withKeys = true) {
  const keys = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  return spawn(process.execPath, ["--import", "sluice/typescript", MAIN, ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], ...(withKeys ? keys : {}) },
  });
}

/** A client of it that never retries. */
export function clientOf(endpoint: string): S3Client {
  return new S3Client({
    endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
  });
}
