/** `sluice worker`: one worker process in the foreground. */
import { UsageError } from "../../core/errors.ts";
import { didYouMean } from "../../core/nearest.ts";
import { readSettings } from "../../settings.ts";
import { runWorker } from "../../../workers/worker.ts";
import { loadProject } from "../load-project.ts";
import type { ConfigOption, Session } from "../session.ts";

export async function workerCommand(
  { environment, signal }: Session,
  options: ConfigOption & { readonly queues?: string },
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
  await runWorker(project, readSettings(environment), { queues, signal });
}
