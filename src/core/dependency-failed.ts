/** The error that `yield*` throws in a `run` when what it asked for failed for good. */
import { SluiceError } from "./errors.ts";
import type { Task } from "./task.ts";

/**
 * Catch it to go on without the answer. One that is not caught fails nothing: the task waits, like one
 * whose requirement failed, until the other is retried and completes.
 */
export class DependencyFailedError extends SluiceError {
  /** What failed, the first of them when several did. */
  readonly dependency: Task;

  constructor(task: Task, dependency: Task, failure: { code: string; message: string }) {
    super(
      "DEPENDENCY_FAILED",
      `${task.name}: ${dependency.name}, which its run asked for, failed: ${failure.message}`,
      {
        cause: new SluiceError(failure.code, failure.message),
        fields: { task: task.id, dependency: dependency.id },
      },
    );
    this.dependency = dependency;
  }
}
