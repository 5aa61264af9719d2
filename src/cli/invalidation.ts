/**
 * What `invalidate` and `rerun` share: which tasks, the preview, the question, the deed. Nothing is
 * invalidated that was not shown, and nothing without a yes.
 */
import { UsageError } from "../core/errors.ts";
import type { Task } from "../core/task.ts";
import { invalidate } from "../queue/invalidate.ts";
import type { Workplace } from "../queue/runtime.ts";
import { rootOf, type Selected, selectForInvalidation } from "../queue/select-for-invalidation.ts";
import { operatorName } from "./operator.ts";
import type { Session } from "./session.ts";
import { taskFromArguments } from "./task-arguments.ts";
import type { TaskCommandOptions } from "./with-workplace.ts";

export interface InvalidationOptions extends TaskCommandOptions {
  readonly downstream?: boolean;
  readonly upstream?: boolean;
  /** `AllTasks` or `AllTasks --date 2026-11-21`. */
  readonly of?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly reason?: string;
}

export interface Invalidation {
  /** What to run so that all of it is complete again. */
  readonly root: Task;
  readonly tasks: readonly Selected[];
  /** False after a dry run, a no, or when there was nothing. */
  readonly done: boolean;
}

export async function invalidateTask(
  session: Session,
  place: Workplace,
  task: Task,
  options: InvalidationOptions,
): Promise<Invalidation> {
  const { signal } = session;
  const downstreamIn = await downstreamRoot(place, task, options);
  const root = downstreamIn ?? task;
  const upstream = options.upstream ?? false;
  const tasks = await selectForInvalidation(place, task, { signal, downstreamIn, upstream });
  const { terminal } = session;
  const show = (line: string) => (options.json ? terminal.tell(line) : terminal.print(line));
  for (const line of previewLines(task, tasks, downstreamIn)) show(line);
  if (tasks.length === 0 || options.dryRun) return { root, tasks, done: false };
  if (!options.yes && !(await confirmed(session, tasks))) {
    show("Nothing was changed.");
    return { root, tasks, done: false };
  }
  await invalidate(
    place,
    tasks.map((each) => each.task),
    { signal, who: operatorName(), reason: options.reason ?? "" },
  );
  return { root, tasks, done: true };
}

/** The text of the preview, line by line. */
export function previewLines(
  task: Task,
  selected: readonly Selected[],
  downstreamIn: Task | undefined,
): string[] {
  if (selected.length === 0) {
    return [`${task.name}: nothing to invalidate, it is not complete and has no output`];
  }
  const width = Math.max(...selected.map(({ task: { name } }) => name.length));
  const rows = selected.flatMap(({ task: { name }, running, outputs }) => {
    const [first = "no output, its record only", ...others] = outputs;
    const note = running ? "  (running: refused)" : "";
    return [
      `  ${name.padEnd(width)}  ${first}${note}`,
      ...others.map((each) => `  ${"".padEnd(width)}  ${each}`),
    ];
  });
  const where = downstreamIn === undefined ? "" : `, downstream within ${downstreamIn.name}`;
  const count = selected.length === 1 ? "1 task" : `${selected.length} tasks`;
  return [`${count} to invalidate${where}, with the outputs to remove:`, "", ...rows, ""];
}

async function confirmed(session: Session, tasks: readonly Selected[]): Promise<boolean> {
  if (session.confirm === undefined) {
    throw new UsageError(
      "CONFIRMATION_MISSING",
      "Nothing was changed: there is no terminal to ask on. Look at the list, then add --yes",
    );
  }
  const what =
    tasks.length === 1
      ? "this task and remove its"
      : `these ${tasks.length} tasks and remove their`;
  return session.confirm(`Invalidate ${what} outputs?`, session.signal);
}

/** The root within which dependents are looked for: named, or the one that the task was enqueued for. */
async function downstreamRoot(
  place: Workplace,
  task: Task,
  { downstream, of }: InvalidationOptions,
): Promise<Task | undefined> {
  if (of !== undefined) {
    const [name = "", ...words] = of.trim().split(/\s+/);
    const params = Object.keys(place.project.family(name).params);
    const shared = Object.entries(task.texts).filter(([param]) => params.includes(param));
    const given = shared.map(([param, text]) => `--${param}=${text}`);
    return taskFromArguments(place.project, name, [...given, ...words]);
  }
  if (!downstream) return undefined;
  const root = await rootOf(place, task);
  if (root !== undefined) return root;
  throw new UsageError(
    "ROOT_UNKNOWN",
    `${task.name}: it is not known which root it was enqueued for, so its dependents are not either: name one, for example --of AllTasks or --of "AllTasks --date 2026-11-21"`,
  );
}
