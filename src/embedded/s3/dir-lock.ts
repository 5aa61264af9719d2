/**
 * One server a folder: two would rewrite the same log. The lock is a local socket named after the
 * folder, because the system closes it however its owner dies; a pid file would lie after kill -9.
 */
import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { rm } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UsageError } from "../../core/errors.ts";

/** Takes the lock of an existing folder, or throws a UsageError; returns its release. */
export async function lockDir(dir: string): Promise<() => void> {
  const address = addressOf(realpathSync(dir));
  if (await isHeld(address)) {
    throw new UsageError(
      "S3_DIR_IN_USE",
      `${dir} is in use by another S3 server: stop it, or choose another folder.`,
    );
  }
  await rm(address, { force: true });
  const lock = await listen(address);
  lock.unref();
  return () => lock.close();
}

function addressOf(dir: string): string {
  const name = `sluice-s3-${createHash("sha256").update(dir).digest("hex").slice(0, 16)}`;
  return process.platform === "win32" ? `\\\\.\\pipe\\${name}` : join(tmpdir(), `${name}.sock`);
}

function isHeld(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(address);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
}

function listen(address: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const lock = createServer((probe) => probe.destroy());
    lock.once("error", reject);
    lock.listen(address, () => resolve(lock));
  });
}
