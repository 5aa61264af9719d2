/** Submits a root, shows how it goes, and ends with the execution summary. */
import type { Plan } from "../core/plan.ts";
import { UnreachableError } from "../core/errors.ts";
import type { Task } from "../core/task.ts";
import { completeBelow } from "../queue/complete-below.ts";
import { redisAddress } from "../queue/connection.ts";
import { answersOf, type Details, failuresOf, progressOf } from "../queue/details.ts";
import { recordRun } from "../queue/history/runs.ts";
import { type OutageOptions, throughOutages } from "../queue/outage.ts";
import type { Workplace } from "../queue/runtime.ts";
import { submit } from "../queue/submit.ts";
import { type Watched, type WatchedTask, watch } from "../queue/watch.ts";
import type { CommandFor } from "./command-line.ts";
import { failureReport } from "./failure-report.ts";
import { operatorName } from "./operator.ts";
import { createProgress } from "./progress/progress.ts";
import type { Session } from "./session.ts";
import { executionSummary, type SummaryJson, summarize, summaryJson } from "./summary.ts";
import type { WorkerProcesses } from "./worker-processes.ts";

/** Milliseconds between two looks at the tasks. */
const INTERVAL = 200;
/** Milliseconds until a silent Redis is mentioned, and until this command gives up. */
const OUTAGE = { patience: 5_000, limit: 300_000 };

export interface RunRootOptions {
  readonly json: boolean;
  /** The command line that runs a failed task again, with this command's own options. */
  readonly command: CommandFor;
  readonly verify?: boolean;
  /** Starts workers for this run; called only when something is to be done. */
  readonly startWorkers?: (() => WorkerProcesses) | undefined;
}

/** Failed tasks throw nothing: the summary says how it ended. */
export async function runRoot(
  session: Session,
  place: Workplace,
  root: Task,
  options: RunRootOptions,
): Promise<SummaryJson> {
  const { terminal, signal } = session;
  const started = performance.now();
  const { redis, settings } = place.engine;
  const outage = (note: (line: string) => void): OutageOptions => ({
    address: redisAddress(settings.redisUrl),
    ...OUTAGE,
    signal,
    onSilent: (address) =>
      note(
        `Redis at ${address} does not answer: waiting for it; workers wait, too, nothing is lost`,
      ),
    onBack: (address) => note(`Redis at ${address} answers again`),
  });
  const plan = await throughOutages(
    redis,
    outage((line) => terminal.tell(line)),
    () => submit(place, root, { signal, verify: options.verify ?? false }),
  );
  void recordRun(place.engine, plan, { kind: "run", by: operatorName() });
  const progress = createProgress({ stream: terminal.err, color: terminal.color, root });
  const complete = [...plan.tasks.values()].every(({ state }) => state === "complete");
  const workers = complete ? undefined : options.startWorkers?.();
  if (workers !== undefined) progress.note(startLine(workers));
  else await warnOfIdleQueues(place, plan, (line) => progress.note(line));
  const answers = new Map<string, Details>();
  let last: Watched = new Map();
  const follow = async () => {
    for await (const watched of watch(place, plan, { signal, interval: INTERVAL })) {
      last = watched;
      // Redis lost its jobs: what exists is adopted, the rest is put into the queue again.
      if ([...watched.values()].some(({ state }) => state === "absent")) {
        await submit(place, root, { signal });
      }
      progress.update(watched, await detailsOf(place, watched, answers));
    }
  };
  try {
    await throughOutages(redis, outage(progress.note), follow);
  } catch (error) {
    if (!signal.aborted || error instanceof UnreachableError) throw error;
    progress.note("interrupted: what is in the queue goes on in the workers");
  } finally {
    progress.close();
    await workers?.stop();
  }

  const watched = await withCompleteBelow(place, plan, last);
  const failed = [...watched.values()].filter(({ state }) => state === "failed");
  const summary = summarize(root, watched, {
    details: answers,
    failures: await failuresOf(
      place.engine,
      failed.map(({ task }) => task),
    ),
    seconds: (performance.now() - started) / 1000,
  });
  for (const line of failureReport(summary, options.command)) terminal.tell(line);
  // With --json, standard output holds the JSON alone.
  if (options.json) terminal.tell(executionSummary(summary));
  else terminal.print(executionSummary(summary));
  const inShort = summaryJson(summary);
  if (options.json) terminal.print(JSON.stringify(inShort));
  return inShort;
}

/** Progress of what runs, and rows and bytes of what ran since the start, each asked for once. */
async function detailsOf(
  { engine }: Workplace,
  watched: Watched,
  answers: Map<string, Details>,
): Promise<ReadonlyMap<string, Details>> {
  const tasks = [...watched.values()];
  const running = tasks.filter(({ state }) => state === "running").map(({ task }) => task);
  const ran = tasks
    .filter(({ before, state }) => state === "complete" && before !== "complete")
    .map(({ task }) => task)
    .filter(({ id }) => !answers.has(id));
  for (const [id, details] of await answersOf(engine, ran)) answers.set(id, details);
  const failed = tasks.filter(({ state }) => state === "failed").map(({ task }) => task);
  const failures = [...(await failuresOf(engine, failed))].map(
    ([id, message]): [string, Details] => [id, { message }],
  );
  return new Map([...answers, ...failures, ...(await progressOf(engine, running))]);
}

async function withCompleteBelow(place: Workplace, plan: Plan, last: Watched): Promise<Watched> {
  const below = (await completeBelow(place, plan)).map((task): [string, WatchedTask] => [
    task.id,
    { task, before: "complete", state: "complete", requirements: [] },
  ]);
  return new Map([...below, ...last]);
}

function startLine({ logs }: WorkerProcesses): string {
  return logs.length === 1
    ? `a worker starts; it logs to ${logs[0]}`
    : `${logs.length} workers start; they log to ${logs.join(", ")}`;
}

/** A run without workers would wait for ever, silently. */
async function warnOfIdleQueues(
  { engine }: Workplace,
  plan: Plan,
  note: (line: string) => void,
): Promise<void> {
  const open = [...plan.tasks.values()].filter(({ state }) => state !== "complete");
  for (const queue of new Set(open.map(({ task }) => task.family.queue))) {
    if ((await engine.queue(queue).getWorkersCount()) > 0) continue;
    note(
      `no worker listens to the queue "${queue}" yet: start one with "sluice worker", or add --workers 2`,
    );
  }
}
