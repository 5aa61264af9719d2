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

const systemLists = "/var/lib/apt/lists";
const packages = ["redis-server", "redis-tools"];

export interface FetchOptions {
  readonly cache: string;
  /** The program; "apt-get" by default. */
  readonly aptGet?: string | undefined;
  /** Where apt keeps the lists of packages. */
  readonly lists?: string | undefined;
}

/** The unpacked server, fetched now unless an earlier run did. Throws `UsageError` if impossible. */
export async function fetchRedis(options: FetchOptions): Promise<RedisProgram> {
  const { cache, aptGet = "apt-get", lists = systemLists } = options;
  const home = join(cache, `redis-${distribution()}-${process.arch}`);
  if (existsSync(home)) return programIn(home);
  const partial = mkdtempSync(join(cache, "partial-"));
  try {
    const root = await unpack(await download(partial, aptGet, lists));
    await programIn(root);
    publish(root, home);
  } catch (error) {
    throw noRedis(`Fetching it with apt-get failed: ${lastLine(error)}. `, error);
  } finally {
    rmSync(partial, { recursive: true, force: true });
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

/** By the machine's own lists of packages; by fresh ones when it has none, or they are outdated. */
async function download(folder: string, aptGet: string, lists: string): Promise<string> {
  if (hasLists(lists)) {
    const archives = await downloadBy(folder, aptGet, lists).catch(() => undefined);
    if (archives !== undefined) return archives;
  }
  const own = join(folder, "lists");
  mkdirSync(join(own, "partial"), { recursive: true });
  await run(aptGet, [...aptOptions(folder, own), "update"]);
  return downloadBy(folder, aptGet, own);
}

/** The folder with the archives. */
async function downloadBy(folder: string, aptGet: string, lists: string): Promise<string> {
  const archives = mkdtempSync(join(folder, "archives-"));
  const options = aptOptions(folder, lists);
  // A simulated installation names what this machine lacks, so that no list of libraries gets stale.
  const install = ["install", "--simulate", "--no-install-recommends", ...packages];
  const { stdout } = await run(aptGet, [...options, ...install]);
  const missing = [...stdout.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? "");
  const wanted = new Set([...packages, ...missing]);
  await run(aptGet, [...options, "download", ...wanted], { cwd: archives });
  return archives;
}

async function unpack(archives: string): Promise<string> {
  const root = join(archives, "root");
  mkdirSync(root);
  for (const archive of readdirSync(archives).filter((name) => name.endsWith(".deb"))) {
    await run("dpkg-deb", ["--extract", join(archives, archive), root]);
  }
  return root;
}

/** apt's own locks and caches belong to root, so each run gets its own. */
function aptOptions(folder: string, lists: string): readonly string[] {
  const cache = join(folder, "cache");
  mkdirSync(join(cache, "archives", "partial"), { recursive: true });
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
