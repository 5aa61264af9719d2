/** The life of our own server: its process, its folder, its port. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startS3Server } from "../../../src/embedded/s3/server.ts";
import { clientOf, spawnMain, spawnServer } from "./server-process.ts";

const keys = { accessKeyId: "process", secretAccessKey: "process-secret" };
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "sluice-s3-process-"));
});
afterEach(() => rm(dir, { recursive: true }));

describe("the process", () => {
  it("ends when its stdin does", async () => {
    const server = await spawnServer(dir);
    server.child.stdin?.end();
    expect(await server.exited).toEqual([0, null]);
  });

  it("ends on SIGTERM, and not on the SIGINT of a whole process group", async () => {
    const server = await spawnServer(dir);
    server.child.kill("SIGINT");
    await clientOf(server.endpoint).send(new CreateBucketCommand({ Bucket: "alive" }));
    server.child.kill("SIGTERM");
    expect(await server.exited).toEqual([0, null]);
  });

  it("ends when its parent is killed with kill -9", async () => {
    const script = `
      import { spawnServer } from ${JSON.stringify(import.meta.resolve("./server-process.ts"))};
      const { child, endpoint } = await spawnServer(${JSON.stringify(dir)});
      console.log(JSON.stringify({ pid: child.pid, endpoint }));`;
    const args = ["--import", "sluice/typescript", "--input-type=module", "--eval", script];
    const parent = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = await once(parent.stdout, "data");
    const { pid }: { pid: number } = JSON.parse(String(line));
    expect(isAlive(pid)).toBe(true);
    parent.kill("SIGKILL");
    await expect.poll(() => isAlive(pid), { timeout: 5000 }).toBe(false);
  });

  it("says what is missing and exits with 2", async () => {
    for (const [args, withKeys, message] of [
      [[], true, "Usage"],
      [["--dir", dir], false, "AWS_ACCESS_KEY_ID"],
    ] as const) {
      const child = spawnMain(args, withKeys);
      const [[said], [code]] = await Promise.all([once(child.stderr, "data"), once(child, "exit")]);
      expect(String(said)).toContain(message);
      expect(code).toBe(2);
    }
  });
});

describe("the server in a process", () => {
  it("close() ends it, cuts open connections, and can be called twice", async () => {
    const server = await startS3Server({ dir, ...keys });
    const s3 = clientOf(server.endpoint);
    await s3.send(new CreateBucketCommand({ Bucket: "closing" }));
    await Promise.all([server.close(), server.close()]);
    await expect(fetch(server.endpoint)).rejects.toThrow("fetch failed");
    const again = await startS3Server({ dir, ...keys, port: server.port });
    expect(again.port).toBe(server.port);
    await again.close();
  });

  it("a folder has one server at a time", async () => {
    const server = await startS3Server({ dir, ...keys });
    await expect(startS3Server({ dir, ...keys })).rejects.toMatchObject({ code: "S3_DIR_IN_USE" });
    await server.close();
    await (await startS3Server({ dir, ...keys })).close();
  });

  it("a port in use is an error that says so", async () => {
    const server = await startS3Server({ dir, ...keys });
    const elsewhere = { dir: join(dir, "other"), ...keys, port: server.port };
    await expect(startS3Server(elsewhere)).rejects.toMatchObject({
      code: "S3_SERVER_NOT_LISTENING",
      message: expect.stringContaining(String(server.port)),
    });
    await server.close();
  });

  it("answers bucket.localhost too", async () => {
    const server = await startS3Server({ dir, ...keys });
    const lookup: NonNullable<ConstructorParameters<typeof Agent>[0]>["lookup"] = (_, __, done) =>
      done(null, [{ address: "127.0.0.1", family: 4 }]);
    const s3 = new S3Client({
      endpoint: `http://localhost:${server.port}`,
      region: "us-east-1",
      credentials: keys,
      requestHandler: { httpAgent: new Agent({ lookup }) },
    });
    await s3.send(new CreateBucketCommand({ Bucket: "virtual" }));
    await s3.send(new PutObjectCommand({ Bucket: "virtual", Key: "a/b", Body: "here" }));
    const get = { Bucket: "virtual", Key: "a/b" };
    const got = await clientOf(server.endpoint).send(new GetObjectCommand(get));
    expect(await got.Body?.transformToString()).toBe("here");
    s3.destroy();
    await server.close();
  });
});

describe("the folder", () => {
  const put = async (keysToPut: readonly string[]): Promise<void> => {
    const server = await startS3Server({ dir, ...keys });
    const s3 = clientOf(server.endpoint);
    await s3.send(new CreateBucketCommand({ Bucket: "kept" }));
    for (const Key of keysToPut) {
      await s3.send(new PutObjectCommand({ Bucket: "kept", Key, Body: Key }));
    }
    await server.close();
  };
  const listed = async (): Promise<(string | undefined)[]> => {
    const server = await startS3Server({ dir, ...keys });
    const list = new ListObjectsV2Command({ Bucket: "kept" });
    const { Contents = [] } = await clientOf(server.endpoint).send(list);
    await server.close();
    return Contents.map(({ Key }) => Key);
  };
  const catalog = (): string => join(dir, "catalog.jsonl");

  it("keeps objects over a restart and sweeps files that belong to none", async () => {
    await put(["a", "b"]);
    await writeFile(join(dir, "blobs", "stray"), "left behind");
    expect(await listed()).toEqual(["a", "b"]);
    expect(await readdir(join(dir, "blobs"))).toHaveLength(2);
  });

  it("tolerates a last line that was cut", async () => {
    await put(["a"]);
    await appendFile(catalog(), '{"op":"put","bucket":"kept","ke');
    expect(await listed()).toEqual(["a"]);
    expect(await listed()).toEqual(["a"]);
  });

  it("refuses a log that is damaged in the middle", async () => {
    await put(["a", "b"]);
    const lines = (await readFile(catalog(), "utf8")).split("\n");
    lines[2] = lines[2]?.slice(0, 20) ?? "";
    await writeFile(catalog(), lines.join("\n"));
    await expect(startS3Server({ dir, ...keys })).rejects.toMatchObject({
      code: "S3_CATALOG_DAMAGED",
      message: expect.stringContaining("line 3"),
    });
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
