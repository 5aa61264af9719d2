/**
 * Starts a private Postgres for one folder: loopback only, with a password, run as another user when
 * we are root. It ends with this process, and the next start finds its data.
 */

import { execFile } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { messageOf, SluiceError } from "../../core/errors.ts";
import type { Environment } from "../cache-folder.ts";
import { onFreePort, PortTakenError } from "../free-port.ts";
import { type Account, type GuardedProcess, startGuarded } from "../process-guard.ts";
import { postgresAccount } from "./account.ts";
import { type PostgresBinaries, postgresBinaries } from "./binaries.ts";

const run = promisify(execFile);

export interface PostgresServer {
  readonly port: number;
  readonly pid: number;
  /** "18.4" */
  readonly version: string;
  /** Connection URL of one database of this server, as its superuser. */
  readonly urlOf: (database: string) => string;
  readonly stop: () => Promise<void>;
}

export interface PostgresOptions {
  /** Holds the cluster and its log. */
  readonly dir: string;
  /** Of the superuser `postgres`; must stay the same for one folder. */
  readonly password: string;
  /** Whether data survives a crash of the machine (it always survives one of the process). */
  readonly durable: boolean;
  /** Further ones of Postgres's own settings. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly env: Environment;
}

/** What the steps below share. */
interface Cluster {
  readonly dir: string;
  readonly data: string;
  /** The data folder as the server sees it. */
  readonly dataArgument: string;
  readonly account: Account | undefined;
  readonly binaries: PostgresBinaries;
  readonly env: Readonly<Record<string, string>>;
}

/** Creates the cluster unless it is there, starts it, and resolves when it accepts connections. */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const cluster = openFolder(options.dir, options.env);
  if (!existsSync(join(cluster.data, "PG_VERSION"))) await createCluster(cluster, options.password);
  const { port, pid, stop } = await onFreePort((port) => startOn(port, cluster, options));
  return {
    port,
    pid,
    version: cluster.binaries.version,
    urlOf: (database) =>
      `postgres://postgres:${encodeURIComponent(options.password)}@127.0.0.1:${port}/${encodeURIComponent(database)}`,
    stop,
  };
}

function openFolder(folder: string, env: Environment): Cluster {
  const account = postgresAccount();
  const dir = resolve(folder);
  const data = join(dir, "data");
  for (const each of [dir, data]) {
    mkdirSync(each, { recursive: true, mode: 0o700 });
    if (account !== undefined) chownSync(each, account.uid, account.gid);
    chmodSync(each, 0o700);
  }
  return {
    dir,
    data,
    // As another user it may not enter the folders above, but it may stay in the one it starts in.
    dataArgument: account !== undefined && process.platform === "linux" ? "/proc/self/cwd" : data,
    account,
    binaries: postgresBinaries(account),
    env: { PATH: env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" },
  };
}

async function createCluster(cluster: Cluster, password: string): Promise<void> {
  const { account, binaries, data, dataArgument, env } = cluster;
  const passwordFile = join(cluster.dir, "password");
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (account !== undefined) chownSync(passwordFile, account.uid, account.gid);
  try {
    await run(
      binaries.initdb,
      [
        `--pgdata=${dataArgument}`,
        "--username=postgres",
        "--auth=scram-sha-256",
        "--pwfile=../password",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--locale=C.UTF-8",
        "--no-sync",
        "--no-instructions",
      ],
      { ...account, cwd: data, env },
    );
  } catch (cause) {
    // A half-made cluster must not be taken for one at the next start.
    rmSync(data, { recursive: true, force: true });
    throw new SluiceError(
      "POSTGRES_NOT_CREATED",
      `The Postgres cluster in ${data} could not be created: ${messageOf(cause).trim()}`,
      { cause },
    );
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

async function startOn(
  port: number,
  { account, binaries, data, dataArgument, dir, env }: Cluster,
  options: PostgresOptions,
): Promise<{ port: number; pid: number; stop: () => Promise<void> }> {
  const settings = {
    port,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: 200,
    ...(options.durable
      ? {}
      : { fsync: "off", full_page_writes: "off", synchronous_commit: "off" }),
    ...options.settings,
  };
  const server = await startGuarded({
    name: "Postgres",
    command: binaries.postgres,
    args: [
      "-D",
      dataArgument,
      ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ],
    cwd: data,
    env,
    account,
    logFile: join(dir, "postgres.log"),
    pidFile: join(dir, "postgres.pid"),
    stopSignal: "SIGINT",
    killSignal: "SIGQUIT",
    beforeStart: () => forgetDeadPostmaster(join(data, "postmaster.pid")),
  });
  await accepting(server, join(data, "postmaster.pid"));
  return { port, pid: server.pid, stop: server.stop };
}

/**
 * Postgres takes a zombie, or a stranger with a reused pid, for the old server, and refuses to start.
 * Our guard knows that the old one is gone, so the file gets a pid that cannot exist. Its other lines
 * stay: by them Postgres makes sure that no old backend still uses the shared memory.
 */
function forgetDeadPostmaster(file: string): void {
  if (!existsSync(file)) return;
  writeFileSync(file, readFileSync(file, "utf8").replace(/^\d+/, "99999999"));
}

/** Postgres writes its pid and, when it accepts connections, "ready" into this file. */
async function accepting(server: GuardedProcess, file: string): Promise<void> {
  const ended = server.exited.then(() => false);
  while (await Promise.race([ended, sleep(10, true)])) {
    const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
    if (lines[0] === String(server.pid) && lines[7]?.trim() === "ready") return;
  }
  if (/could not bind/.test(server.log())) throw new PortTakenError();
  throw new SluiceError(
    "POSTGRES_NOT_STARTED",
    `Postgres did not start. Its log ends with:\n${server.log().split("\n").slice(-5).join("\n")}`,
  );
}
