/**
 * What is closed after each test and after each file, said once by the module that opens it. Files may
 * share a process, and so the modules: a hook that a module registers with vitest would hold for the
 * first of these files alone. The order is that of the phases, whichever module was loaded first.
 */
import { afterAll, afterEach } from "vitest";

type Close = () => unknown;

/**
 * What uses something is closed before it. Proxies before the clients that go through them, which would
 * wait for ever for answers that a proxy was told to hold back.
 */
const PHASES = ["processes", "proxies", "clients", "servers", "services"] as const;

type Phase = (typeof PHASES)[number];

const afterTests: [Phase, Close][] = [];
const afterFiles: [Phase, Close][] = [];

export function afterEveryTest(phase: Phase, close: Close): void {
  afterTests.push([phase, close]);
}

/** When the file's own hooks have run. */
export function afterEveryFile(phase: Phase, close: Close): void {
  afterFiles.push([phase, close]);
}

/** For each file, by its set-up. */
export function registerHooks(): void {
  afterEach(() => closeAll(afterTests));
  afterAll(() => closeAll(afterFiles));
}

/** All of them, also when one fails. */
async function closeAll(closes: readonly [Phase, Close][]): Promise<void> {
  const problems: unknown[] = [];
  for (const phase of PHASES) {
    for (const [, close] of closes.filter(([its]) => its === phase)) {
      try {
        await close();
      } catch (error) {
        problems.push(error);
      }
    }
  }
  if (problems.length > 0) throw new AggregateError(problems, problems.map(String).join("\n"));
}
