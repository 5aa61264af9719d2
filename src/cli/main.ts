/** The command line: thin, with no behaviour of its own. The only place that reads the environment. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { createConfirm } from "./confirm.ts";
import { EXIT, exitCodeOf, explain } from "./exit.ts";
import { GRAPH_FORMATS } from "./graph-format.ts";
import { loadProject } from "./load-project.ts";
import type { Named, Session } from "./session.ts";
import { stopOnSignals, stopWithInput } from "./stop-requests.ts";
import { taskFromArguments } from "./task-arguments.ts";
import { createTerminal } from "./terminal.ts";

const { env, stdin, stdout, stderr } = process;
const color = stderr.isTTY && env["NO_COLOR"] === undefined && env["TERM"] !== "dumb";
const terminal = createTerminal(stdout, stderr, color);
// Who reads has read enough: `sluice errors | head`.
stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(EXIT.done);
});
const stopped = new AbortController();
const session: Session = {
  environment: env,
  terminal,
  signal: stopped.signal,
  confirm: createConfirm(stdin, stderr),
};

const program = new Command("sluice")
  .description("Typed, targeted data pipelines on BullMQ: Postgres, S3 and the warehouse.")
  .exitOverride()
  .showHelpAfterError('Run "sluice --help" for the commands.')
  .addHelpText(
    "after",
    "\nExit codes: 0 done, 1 a task failed, 2 usage, 3 a service cannot be reached, 4 internal.",
  );

const configOption = () =>
  new Option("-c, --config <file>", "the project").env("SLUICE_CONFIG").default("sluice.config.ts");

const devOption = () => new Option("--dev", "on the development stack, started if it is not up");

/** A command on a task, whose parameters are options that commander does not know. */
function taskCommand(name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .argument("<task>", "name of the family, for example AllTasks")
    .argument("[parameters...]", "its parameters: --date 2026-11-21; after --, all are")
    .allowUnknownOption()
    .addOption(configOption());
}

/** Before the command is loaded, with all that it needs: mistakes are answered at once. */
async function namedRoot(config: string, name: string, words: readonly string[]): Promise<Named> {
  const project = await loadProject(config);
  return { project, root: taskFromArguments(project, name, words) };
}

taskCommand("run", "run a task and everything it needs, and wait")
  .option("--json", "print the outcome as JSON, as the last line")
  .option("--verify", "ask for every output again: what is missing runs, whatever is recorded")
  .option(
    "--workers <n>",
    "start worker processes for this run (default: 0, with --dev 1)",
    wholeNumber,
  )
  .addOption(devOption())
  .action(async (name: string, words: string[], options) => {
    stopOnSignals(stopped);
    const named = await namedRoot(options.config, name, words);
    const { runCommand } = await import("./commands/run.ts");
    process.exitCode = await runCommand(session, named, options);
  });

taskCommand("plan", "what would run, and why the rest would not")
  .option("--json", "as JSON")
  .option("--verify", "ask for every output again, also of what is recorded as complete")
  .addOption(devOption())
  .action(async (name: string, words: string[], options) => {
    const named = await namedRoot(options.config, name, words);
    const { planCommand } = await import("./commands/plan.ts");
    await planCommand(session, named, options);
  });

taskCommand("graph", "the dependency graph of a task")
  .addOption(new Option("--format <format>", "how").choices(GRAPH_FORMATS).default("mermaid"))
  .action(async (name: string, words: string[], options) => {
    const named = await namedRoot(options.config, name, words);
    const { graphCommand } = await import("./commands/graph.ts");
    await graphCommand(session, named, options);
  });

/** A task by its id, or by its family and parameters, whose outputs count no more. */
function invalidationCommand(name: string, description: string): Command {
  return taskCommand(name, description)
    .option("--downstream", "and everything that depends on it, within its root or that of --of")
    .option("--upstream", "and everything that it requires")
    .option("--of <root>", 'the root for --downstream: AllTasks, or "AllTasks --date 2026-11-21"')
    .option("--dry-run", "only show what would be invalidated")
    .option("-y, --yes", "do not ask")
    .option("--reason <text>", "for the audit")
    .option("--json", "as JSON")
    .addOption(devOption());
}

invalidationCommand("invalidate", "remove outputs and records of a task, after a preview").action(
  async (name: string, words: string[], options) => {
    stopOnSignals(stopped);
    const { invalidateCommand } = await import("./commands/invalidate.ts");
    process.exitCode = await invalidateCommand(session, name, words, options);
  },
);

invalidationCommand("rerun", "invalidate a task, then run it, or with --downstream its root")
  .option("--workers <n>", "start worker processes for this run", wholeNumber)
  .action(async (name: string, words: string[], options) => {
    stopOnSignals(stopped);
    const { rerunCommand } = await import("./commands/rerun.ts");
    process.exitCode = await rerunCommand(session, name, words, options);
  });

taskCommand("sql", "the SQL that a task would execute, with secrets masked")
  .addOption(devOption())
  .action(async (name: string, words: string[], options) => {
    const named = await namedRoot(options.config, name, words);
    const { sqlCommand } = await import("./commands/sql.ts");
    await sqlCommand(session, named, options);
  });

/** A command that answers an operator about a task by id, or by family and parameters. */
function operatorCommand(name: string, description: string, task: "<task>" | "[task]"): Command {
  return program
    .command(name)
    .description(description)
    .argument(task, "id of a task, or name of its family")
    .argument("[parameters...]", "with the family: its parameters, --date 2026-11-21")
    .allowUnknownOption()
    .addOption(configOption())
    .option("--json", "as JSON")
    .addOption(devOption());
}

operatorCommand("status", "counts, what failed, what runs: of a root, or of all", "[task]").action(
  async (name: string | undefined, words: string[], options) => {
    const { statusCommand } = await import("./commands/status.ts");
    process.exitCode = await statusCommand(session, name, words, options);
  },
);

operatorCommand(
  "errors",
  "what failed, below a root or anywhere, and how to retry",
  "[task]",
).action(async (name: string | undefined, words: string[], options) => {
  const { errorsCommand } = await import("./commands/errors.ts");
  process.exitCode = await errorsCommand(session, name, words, options);
});

operatorCommand("why", "why a task is not running", "<task>").action(
  async (name: string, words: string[], options) => {
    const { whyCommand } = await import("./commands/why.ts");
    await whyCommand(session, name, words, options);
  },
);

operatorCommand("show", "a task's parameters, outputs and attempts", "<task>").action(
  async (name: string, words: string[], options) => {
    const { showCommand } = await import("./commands/show.ts");
    await showCommand(session, name, words, options);
  },
);

operatorCommand(
  "retry",
  "retry a failed task, or all that failed below it, at once",
  "<task>",
).action(async (name: string, words: string[], options) => {
  const { retryCommand } = await import("./commands/retry.ts");
  await retryCommand(session, name, words, options);
});

operatorCommand(
  "cancel",
  "end a task's attempt, or take it out of the queue, until it is retried",
  "<task>",
).action(async (name: string, words: string[], options) => {
  stopOnSignals(stopped);
  const { cancelCommand } = await import("./commands/cancel.ts");
  process.exitCode = await cancelCommand(session, name, words, options);
});

const resources = program
  .command("resources")
  .description("limits of resources, who holds units, and who waits for them")
  .addOption(configOption())
  .option("--json", "as JSON")
  .addOption(devOption())
  .action(async (options) => {
    const { resourcesCommand } = await import("./commands/resources.ts");
    process.exitCode = await resourcesCommand(session, options);
  });

resources
  .command("set")
  .description("change a limit for everybody, at once, while tasks run")
  .argument("<resource>", "its name in defineConfig")
  .argument("<limit>", 'a whole number, 0 lets nothing begin; "default" goes back to defineConfig')
  .option("--reason <text>", "for the audit")
  .action(async (name: string, limit: string, _options, command: Command) => {
    const { setResourceCommand } = await import("./commands/resources.ts");
    process.exitCode = await setResourceCommand(session, name, limit, command.optsWithGlobals());
  });

program
  .command("worker")
  .description("run tasks, in the foreground, until SIGTERM")
  .addOption(configOption())
  .option("--queues <names>", "only these, separated by commas (default: all of the project)")
  .addOption(new Option("--until-input-ends", "end when standard input does").hideHelp())
  .action(async (options) => {
    stopOnSignals(stopped);
    if (options.untilInputEnds) stopWithInput(stopped);
    const { workerCommand } = await import("./commands/worker.ts");
    await workerCommand(session, options);
  });

program
  .command("scheduler")
  .description("enqueue the project's schedules, in the foreground, until SIGTERM")
  .addOption(configOption())
  .action(async (options) => {
    const { schedulerCommand } = await import("./commands/scheduler.ts");
    await schedulerCommand(session, options);
  });

program
  .command("dashboard")
  .description("Bull Board over the project's queues, until SIGTERM")
  .addOption(configOption())
  .action(async (options) => {
    stopOnSignals(stopped);
    const { dashboardCommand } = await import("./commands/dashboard.ts");
    await dashboardCommand(session, options);
  });

program
  .command("demo", { hidden: true })
  .description("the sample pipeline for yesterday, on the development stack")
  .option("--json", "print the outcome as JSON, as the last line")
  .action(async (options) => {
    stopOnSignals(stopped);
    const { demoCommand } = await import("./commands/demo.ts");
    process.exitCode = await demoCommand(session, options);
  });

program
  .command("seed", { hidden: true })
  .description("fill SOURCE_URL with the sample shop's week up to yesterday")
  .action(async () => {
    const [{ seed }, { readSettings }] = await Promise.all([
      import("./commands/demo.ts"),
      import("../settings.ts"),
    ]);
    await seed(session, readSettings(env));
  });

program
  .command("dev", { hidden: true })
  .description("the development stack with the sample pipeline and Bull Board, until Ctrl-C")
  .action(async () => {
    stopOnSignals(stopped);
    const { devCommand } = await import("./commands/dev.ts");
    await devCommand(session);
  });

function wholeNumber(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgumentError("expected a whole number.");
  return Number(text);
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
  } else {
    terminal.tell(explain(error));
    process.exitCode = exitCodeOf(error);
  }
}
