/** Exit codes, and errors as people read them. */
import { messageOf, SluiceError, UnreachableError, UsageError } from "../core/errors.ts";
import { maskSecrets } from "../core/secret.ts";

export const EXIT = { done: 0, taskFailed: 1, usage: 2, unreachable: 3, internal: 4 } as const;

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof UnreachableError) return EXIT.unreachable;
  return error instanceof SluiceError ? EXIT.taskFailed : EXIT.internal;
}

/** Our errors say all there is to say; of others the stack is shown, because they are our mistakes. */
export function explain(error: unknown): string {
  if (error instanceof SluiceError) return maskSecrets(error.message);
  const stack = error instanceof Error ? error.stack : undefined;
  return `Unexpected error (please report it): ${maskSecrets(stack ?? messageOf(error))}`;
}
