/** Asks a person on a terminal before something is done that cannot be undone. */
import { createInterface } from "node:readline/promises";

export type Confirm = (question: string, signal: AbortSignal) => Promise<boolean>;

/** Undefined when there is nobody to ask: then commands want `--yes`. */
export function createConfirm(
  input: NodeJS.ReadStream,
  output: NodeJS.WriteStream,
): Confirm | undefined {
  if (!input.isTTY || !output.isTTY) return undefined;
  return async (question, signal) => {
    const lines = createInterface({ input, output });
    try {
      const answer = await lines.question(`${question} [y/N] `, { signal });
      return /^y(es)?$/i.test(answer.trim());
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    } finally {
      lines.close();
    }
  };
}
