/**
 * Fetches Redis from Debian's or Ubuntu's own package archive and unpacks it into our cache folder.
 * It needs no root and installs nothing: packages are downloaded, verified by apt, and unpacked.
 * About 7 MB and 4 seconds, once.
 */

import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { messageOf, UsageError } from "../../core/errors.ts";
import type { RedisProgram } from "./find-redis.ts";

const run = promisify(execFile);

/** Where apt keeps the lists of packages; a folder of ours when the machine has fetched none. */
const systemLists = "/var/lib/apt/lists";
const packages = ["redis-server", "redis-tools"];

export interface FetchOptions {
  readonly cache: string;
  /** For tests: a folder other than apt's own, to see a machine without package lists. */
  readonly lists?: string;
}

/** The unpacked server, fetched now unless an earlier run did. Throws `UsageError` if impossible. */
export async function fetchRedis({ cache, lists }: FetchOptions): Promise<RedisProgram> {
  const home = join(cache, `redis-${distribution()}-${process.arch}`);
  if (!existsSync(home)) {
    const partial = mkdtempSync(join(cache, "partial-"));
    try {
      await unpackInto(partial, lists ?? systemLists);
      await programIn(join(partial, "root"));
      publish(join(partial, "root"), home);
    } catch (error) {
      throw noRedis(`Fetching it with apt-get failed: ${lastLine(error)}. `, error);
    } finally {
      rmSync(partial, { recursive: true, force: true });
    }
  }
  return programIn(home);
}

/** The one message for a machine on which we have no way to a Redis. */
export function noRedis(reason: string, cause?: unknown): UsageError {
  return new UsageError(
    "NO_REDIS",
    `Redis is not installed here. ${reason}Install it (Debian, Ubuntu: apt-get install redis-server; macOS: brew install redis; Fedora: dnf install valkey), or set REDIS_URL to a running one`,
    { cause },
  );
}

async function unpackInto(folder: string, systemLists: string): Promise<void> {
  const cache = join(folder, "cache");
  mkdirSync(join(cache, "archives", "partial"), { recursive: true });
  let options = aptOptions(cache, systemLists);
  if (!hasLists(systemLists)) {
    const own = join(folder, "lists");
    mkdirSync(join(own, "partial"), { recursive: true });
    options = aptOptions(cache, own);
    await run("apt-get", [...options, "update"]);
  }
  // A simulated installation names what this machine lacks, so that no list of libraries gets stale.
  const { stdout } = await run("apt-get", [
    ...options,
    "install",
    "--simulate",
    "--no-install-recommends",
    ...packages,
  ]);
  const missing = [...stdout.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? "");
  const wanted = [...new Set([...packages, ...missing])];
  await run("apt-get", [...options, "download", ...wanted], { cwd: folder });
  const root = join(folder, "root");
  mkdirSync(root);
  for (const archive of readdirSync(folder).filter((name) => name.endsWith(".deb"))) {
    await run("dpkg-deb", ["--extract", join(folder, archive), root]);
  }
}

/** apt's own locks and caches belong to root, so each run gets its own. */
function aptOptions(cache: string, lists: string): readonly string[] {
  const settings = [
    `Dir::Cache=${cache}`,
    `Dir::State::Lists=${lists}`,
    "APT::Sandbox::User=root",
    "Acquire::Retries=2",
    "Acquire::http::Timeout=20",
    "Acquire::https::Timeout=20",
  ];
  return ["-qq", ...settings.flatMap((setting) => ["-o", setting])];
}

function hasLists(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).some((name) => name.includes("_Packages"));
}

/** Another process may have unpacked the same meanwhile: either result is good. */
function publish(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}

async function programIn(root: string): Promise<RedisProgram> {
  // Only what the machine lacks was fetched; where nothing was, the server finds all by itself.
  const folders = ["usr/lib", "lib"]
    .map((name) => join(root, name))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((folder) => folder.includes("-linux-"));
  const program = {
    command: join(root, "usr", "bin", "redis-server"),
    env: { LD_LIBRARY_PATH: folders.join(":") },
  };
  await run(program.command, ["--version"], { env: program.env });
  return program;
}

/** A cache folder may be shared by containers of several distributions. */
function distribution(): string {
  const release = readFileSync("/etc/os-release", "utf8");
  const field = (name: string) =>
    new RegExp(`^${name}="?([^"\\n]*)`, "m").exec(release)?.[1] ?? "unknown";
  return `${field("ID")}-${field("VERSION_ID")}`;
}

function lastLine(error: unknown): string {
  const text =
    error instanceof Error && "stderr" in error && typeof error.stderr === "string"
      ? error.stderr
      : "";
  return text.trim().split("\n").at(-1) || messageOf(error);
}
