/**
 * Starts the development S3 server (`s3/main.ts`) as a process of its own, so that its hashing and
 * copying do not compete with the caller's event loop. The server ends when its input does, that
 * is, at any death of this process.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { Socket } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { SluiceError } from "../core/errors.ts";
import type { Environment } from "./cache-folder.ts";

export interface S3Process {
  readonly endpoint: string;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

export interface S3ProcessOptions {
  readonly dir: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly env: Environment;
}

const announcement = z.object({ endpoint: z.url() });
const typescript = new URL("../../bin/typescript.js", import.meta.url).href;
const main = fileURLToPath(new URL("./s3/main.ts", import.meta.url));

/** Resolves when the server listens, on a free port. */
export async function startS3Process(options: S3ProcessOptions): Promise<S3Process> {
  const { dir, accessKeyId, secretAccessKey, env } = options;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const args = ["--import", typescript, main, "--dir", dir, "--port", "0"];
  const child = spawn(process.execPath, args, {
    env: {
      PATH: env["PATH"],
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    },
    stdio: ["pipe", "pipe", "pipe"],
    // Ctrl-C on the terminal is for us, not for the server.
    detached: true,
  });
  const exited = once(child, "exit");
  child.stdin.on("error", () => undefined);
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log = `${log}${text}`.slice(-2_000);
  });
  const line = await Promise.race([
    once(createInterface(child.stdout), "line").then(([text]) => String(text)),
    exited.then(() => undefined),
  ]);
  if (line === undefined) {
    throw new SluiceError("S3_NOT_STARTED", `The development S3 server did not start: ${log}`);
  }
  child.unref();
  for (const stream of [child.stdin, child.stdout, child.stderr]) {
    if (stream instanceof Socket) stream.unref();
  }
  return {
    endpoint: announcement.parse(JSON.parse(line)).endpoint,
    pid: child.pid ?? 0,
    stop: async () => {
      child.ref();
      child.stdin.end();
      await exited;
    },
  };
}
