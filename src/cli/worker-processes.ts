/**
 * Worker processes that live as long as this command: they read a pipe from it, and its end, by any
 * death, ends them. Their logs go to files.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Environment } from "../settings.ts";

export interface WorkerProcesses {
  readonly logs: readonly string[];
  stop(): Promise<void>;
}

const sluice = fileURLToPath(new URL("../../bin/sluice.js", import.meta.url));

export function startWorkerProcesses(options: {
  readonly count: number;
  readonly config: string;
  readonly folder: string;
  readonly environment: Environment;
}): WorkerProcesses {
  const { count, config, folder, environment } = options;
  mkdirSync(folder, { recursive: true });
  const logs: string[] = [];
  const children = Array.from({ length: count }, (_, index) => {
    const log = path.join(folder, `worker-${index + 1}.log`);
    logs.push(log);
    const file = openSync(log, "a");
    const child = spawn(
      process.execPath,
      [sluice, "worker", "--config", config, "--until-input-ends"],
      // In a session of its own: Ctrl-C on the terminal is for this command, which then ends them.
      // What is at work when this command ends goes back to the queue at once.
      {
        env: { ...environment, SLUICE_GRACE_PERIOD: "500ms" },
        stdio: ["pipe", file, file],
        detached: true,
      },
    );
    closeSync(file);
    child.stdin?.on("error", () => {});
    return child;
  });
  return {
    logs,
    async stop() {
      await Promise.all(children.map(endProcess));
    },
  };
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.stdin?.end();
  await exited;
}
