/** How full the queues of a project are, who works on them, and what is running. */
import type { Project } from "../core/config.ts";
import type { Engine } from "./engine.ts";

export interface QueueStatus {
  readonly queue: string;
  readonly paused: boolean;
  readonly workers: number;
  readonly running: number;
  readonly waiting: number;
  readonly delayed: number;
  readonly blocked: number;
  readonly failed: number;
}

export interface RunningJob {
  readonly id: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

export async function queueStatus(
  engine: Engine,
  project: Project,
): Promise<readonly QueueStatus[]> {
  return Promise.all(
    project.queues.map(async (name): Promise<QueueStatus> => {
      const queue = engine.queue(name);
      const [counts, paused, workers] = await Promise.all([
        queue.getJobCounts(),
        queue.isPaused(),
        queue.getWorkersCount(),
      ]);
      const count = (...states: string[]) =>
        states.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
      return {
        queue: name,
        paused,
        workers,
        running: count("active"),
        waiting: count("waiting", "paused", "prioritized"),
        delayed: count("delayed"),
        blocked: count("waiting-children"),
        failed: count("failed"),
      };
    }),
  );
}

/** The longest first. `only`: no others than these ids. */
export async function runningJobs(
  engine: Engine,
  project: Project,
  only?: ReadonlySet<string>,
): Promise<readonly RunningJob[]> {
  const found: RunningJob[] = [];
  for (const name of project.queues) {
    for (const { id = "", name: task, processedOn, timestamp } of await engine
      .queue(name)
      .getActive()) {
      if (only?.has(id) ?? true) found.push({ id, name: task, since: processedOn ?? timestamp });
    }
  }
  return found.sort((a, b) => a.since - b.since);
}
