/**
 * What is to be closed after each test and after each file, said once by the module that opens it. Many
 * files share a process and so their modules: a hook that a module registers with vitest would hold for
 * the first of these files alone.
 */
import { afterAll, afterEach } from "vitest";

type Close = () => unknown;

const afterTests: Close[] = [];
const afterFiles: Close[] = [];

export function afterEveryTest(close: Close): void {
  afterTests.push(close);
}

/** When the file's own hooks have run. */
export function afterEveryFile(close: Close): void {
  afterFiles.push(close);
}

/** For each file, by its set-up. */
export function registerHooks(): void {
  afterEach(() => closeAll(afterTests));
  afterAll(() => closeAll(afterFiles));
}

/** What was said last first, as modules say it after those that they build on; and all of them. */
async function closeAll(closes: readonly Close[]): Promise<void> {
  const problems: unknown[] = [];
  for (const close of closes.toReversed()) {
    try {
      await close();
    } catch (error) {
      problems.push(error);
    }
  }
  if (problems.length > 0) throw new AggregateError(problems, problems.map(String).join("\n"));
}
