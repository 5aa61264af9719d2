/**
 * Runs a server that must not outlive us. A `sh` beside it holds a pipe from this process; any death
 * of ours, `kill -9` included, closes the pipe and the shell ends the server. Nothing is daemonized
 * and no state is needed to clean up. It knows nothing of any particular server.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { SluiceError, UsageError } from "../core/errors.ts";
import { livePid, ownerRecord } from "./process-identity.ts";

/** The operating system's user that a server runs as, when not ours. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export interface GuardOptions {
  /** What people call it: "Redis". */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly account?: Account | undefined;
  /** Receives standard output and error; emptied at each start. */
  readonly logFile: string;
  /** Names the running server, so that the next start can wait for one that is just ending. */
  readonly pidFile: string;
  /** Asks for an orderly end. */
  readonly stopSignal: "SIGTERM" | "SIGINT";
  /** Ends it at once, half a second after the first signal when our process died. */
  readonly killSignal: "SIGKILL" | "SIGQUIT";
  /** Runs when an earlier server on the same pid file is known to be gone. */
  readonly beforeStart?: () => void;
}

export interface GuardedProcess {
  readonly pid: number;
  /** Resolves, never rejects, when the server has ended for whatever reason. */
  readonly exited: Promise<void>;
  /** What the server has printed since it started. */
  readonly log: () => string;
  /** An orderly end; resolves when the process is gone. */
  readonly stop: () => Promise<void>;
}

const orderlyEndMs = 10_000;
const predecessorMs = 5_000;

// $1 and $2: the two signals. The pid goes to fd 1, the server's output to fd 2 (the log).
// Background commands of a shell read /dev/null, hence the copy of the pipe on fd 4.
const script = `
first=$1; last=$2; shift 2
exec 4<&0
"$@" </dev/null 4<&- >&2 &
server=$!
{
  read -r _ <&4
  kill -$first $server
  tenths=5
  while [ $tenths -gt 0 ] && kill -0 $server; do sleep 0.1; tenths=$((tenths - 1)); done
  kill -$last $server
} >/dev/null 2>&1 &
watch=$!
exec 4<&- </dev/null
echo $server
exec >/dev/null
wait $server
code=$?
kill $watch 2>/dev/null
exit $code
`;

/** Starts the server and resolves with its pid; whether it serves is for the caller to find out. */
export async function startGuarded(options: GuardOptions): Promise<GuardedProcess> {
  await predecessorGone(options);
  options.beforeStart?.();
  const log = openSync(options.logFile, "w", 0o600);
  const signals = [options.stopSignal, options.killSignal].map((signal) => signal.slice(3));
  const shell = spawn(
    "/bin/sh",
    ["-c", script, "sh", ...signals, options.command, ...options.args],
    {
      ...options.account,
      cwd: options.cwd,
      env: options.env,
      stdio: ["pipe", "pipe", log],
      // Its own session: Ctrl-C on the terminal reaches us, and we end the servers last.
      detached: true,
    },
  );
  closeSync(log);
  const { stdin, stdout } = shell;
  if (stdin === null || stdout === null) throw new Error("the shell has no pipes");
  const exited = once(shell, "exit").then(
    () => rmSync(options.pidFile, { force: true }),
    () => undefined,
  );
  // The shell may be gone when the pipe is closed.
  stdin.on("error", () => undefined);
  const pid = await new Promise<number>((resolve, reject) => {
    stdout.once("data", (line: Buffer) => resolve(Number(line)));
    shell.once("error", (cause) =>
      reject(
        new SluiceError("SERVER_NOT_STARTED", `${options.name} could not be started`, { cause }),
      ),
    );
    shell.once("exit", () =>
      reject(new SluiceError("SERVER_NOT_STARTED", `${options.name} ended before it started`)),
    );
  });
  writeFileSync(options.pidFile, ownerRecord(pid), { mode: 0o600 });

  // A forgotten server must not keep the process alive: it ends with the process anyway.
  shell.unref();
  for (const stream of [stdin, stdout]) {
    if (stream instanceof Socket) stream.unref();
  }

  return {
    pid,
    exited,
    log: () => readFileSync(options.logFile, "utf8").trimEnd(),
    stop: async () => {
      shell.ref();
      if (shell.exitCode === null && shell.signalCode === null) {
        signalIfAlive(pid, options.stopSignal);
        const timer = new AbortController();
        await Promise.race([
          exited,
          sleep(orderlyEndMs, undefined, { signal: timer.signal }).catch(() => undefined),
        ]);
        timer.abort();
      }
      stdin.end();
      await exited;
    },
  };
}

/** A killed command's server takes a moment to end; two on the same folder would corrupt it. */
async function predecessorGone({ name, pidFile }: GuardOptions): Promise<void> {
  for (const deadline = Date.now() + predecessorMs; ; await sleep(50)) {
    const pid = livePid(readIfPresent(pidFile));
    if (pid === undefined) return;
    if (Date.now() > deadline) {
      throw new UsageError(
        "SERVER_STILL_RUNNING",
        `${name} of an earlier start still runs (pid ${pid}, named in ${pidFile}): end it and start again`,
      );
    }
  }
}

function readIfPresent(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function signalIfAlive(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself meanwhile.
  }
}
