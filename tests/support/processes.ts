/** Processes of a test: children that run a script of ours, ended by their pid after the test. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEveryTest } from "./closing.ts";

const BUNDLED = fileURLToPath(new URL("run-bundled.js", import.meta.url));

const children = new Set<ChildProcess>();

afterEveryTest("processes", async () => {
  await Promise.all([...children].map((child) => end(child, "SIGKILL")));
});

export interface Child {
  readonly pid: number;
  /** Sends the signal; for one that ends the process, `ended` tells when it is gone. */
  signal(name: NodeJS.Signals): void;
  /** Its exit code, or the name of the signal that ended it, and what it wrote to standard error. */
  readonly ended: Promise<{ readonly by: string; readonly errors: string }>;
}

/** Starts a TypeScript file with one JSON argument and waits until it prints its first line. */
export async function startChild(script: URL, argument: unknown): Promise<Child> {
  const child = spawn(process.execPath, [BUNDLED, script.pathname, JSON.stringify(argument)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.add(child);
  const errors = text(child.stderr);
  const ended = once(child, "exit").then(async ([code, signal]: unknown[]) => {
    children.delete(child);
    return { by: String(code ?? signal), errors: await errors };
  });
  const early = await Promise.race([once(child.stdout, "data").then(() => undefined), ended]);
  if (early !== undefined) {
    throw new Error(`${script.pathname} ended by ${early.by}: ${early.errors}`);
  }
  if (child.pid === undefined) throw new Error(`${script.pathname} did not start`);
  return { pid: child.pid, signal: (name) => void child.kill(name), ended };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill(signal);
  await gone;
}
