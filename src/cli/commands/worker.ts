/** `sluice worker`: one worker process in the foreground. */
import { UsageError } from "../../core/errors.ts";
import { didYouMean } from "../../core/nearest.ts";
import { readSettings } from "../../settings.ts";
import { runWorker } from "../../../workers/worker.ts";
import { loadProject } from "../load-project.ts";
import type { ConfigOption, Session } from "../session.ts";

/** A worker that follows its parent's death is gone after this many milliseconds. */
const FOLLOW_DEADLINE = 800;

export async function workerCommand(
  { environment }: Session,
  options: ConfigOption & { readonly queues?: string; readonly untilInputEnds?: boolean },
): Promise<void> {
  const project = await loadProject(options.config);
  const queues = options.queues?.split(",");
  for (const queue of queues ?? []) {
    if (project.queues.includes(queue)) continue;
    throw new UsageError(
      "QUEUE_UNKNOWN",
      `No task of the project uses the queue ${JSON.stringify(queue)}.${didYouMean(queue, project.queues) || ` Its queues: ${project.queues.join(", ")}.`}`,
    );
  }
  const ended = new AbortController();
  if (options.untilInputEnds) {
    process.stdin.resume().once("end", () => {
      ended.abort();
      setTimeout(() => process.exit(0), FOLLOW_DEADLINE).unref();
    });
  }
  await runWorker(project, readSettings(environment), { queues, signal: ended.signal });
}
