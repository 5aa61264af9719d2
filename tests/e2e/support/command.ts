/**
 * Commands as processes of their own, as a person or a container starts them: explicit environment,
 * output collected, and none alive after the test that started it, whether it passed or not.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { until } from "./until.ts";

export const REPOSITORY = fileURLToPath(new URL("../../..", import.meta.url));

export type Environment = Readonly<Record<string, string>>;

export interface StartOptions {
  readonly env: Environment;
  /** Default: the repository. */
  readonly cwd?: string;
  /** In a process group of its own, as a shell starts what is typed, so that `interrupt` can be used. */
  readonly foreground?: boolean;
}

/** How a command ended; `code` is null when a signal ended it. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, in no particular order. */
  readonly output: string;
}

export interface Command {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  readonly output: () => string;
  /** Waits until its output matches; fails with the output when it ends before, or after 60 s. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** Sends a signal to this process alone, and waits for its end. */
  end(signal: NodeJS.Signals): Promise<Ended>;
  /** Ctrl-C: reaches every process of the foreground group, and npm relies on it. */
  interrupt(): Promise<Ended>;
}

/** `sluice …` in the background. */
export function startSluice(args: readonly string[], options: StartOptions): Command {
  return start([process.execPath, `${options.cwd ?? REPOSITORY}/bin/sluice.js`, ...args], options);
}

/** `sluice …` to its end. */
export async function sluice(args: readonly string[], env: Environment): Promise<Ended> {
  return await startSluice(args, { env }).ended;
}

export function start(
  command: readonly string[],
  { env, cwd, foreground = false }: StartOptions,
): Command {
  const [file = "", ...args] = command;
  const child = spawn(file, args, {
    cwd: cwd ?? REPOSITORY,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: foreground,
  });
  const pid = child.pid ?? 0;
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const output = () => stderr + stdout;
  const ended = once(child, "close").then(([code]: (number | null)[]) => ({
    code: code ?? null,
    stdout,
    stderr,
    output: output(),
  }));
  onTestFinished(async () => {
    signalIfAlive(child, "SIGKILL");
    await ended;
  });
  return {
    pid,
    ended,
    output,
    async says(pattern) {
      const what = `"${args.join(" ")}" says ${pattern}`;
      return await until(what, () => {
        const found = pattern.exec(output());
        if (found !== null) return found;
        if (hasEnded(child)) throw new Error(`not that ${what}, but it ended:\n${output()}`);
        return undefined;
      });
    },
    async end(signal) {
      signalIfAlive(child, signal);
      return await ended;
    },
    async interrupt() {
      if (!foreground) throw new Error("only a command in the foreground can be interrupted");
      if (!hasEnded(child)) process.kill(-pid, "SIGINT");
      return await ended;
    },
  };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function signalIfAlive(child: ChildProcess, signal: NodeJS.Signals): void {
  if (!hasEnded(child)) child.kill(signal);
}
