/** `AllTasks --date 2026-11-21` to a task: parameters are options, by their own names. */
import type { Project } from "../core/config.ts";
import { UsageError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import type { Task } from "../core/task.ts";

/**
 * Takes `--name value` and `--name=value`; a parameter named `dryRun` may be written `--dry-run`.
 * An empty value counts as not given, as in Luigi.
 */
export function taskFromArguments(project: Project, name: string, words: readonly string[]): Task {
  const family = project.family(name);
  const known = Object.keys(family.params);
  const texts: Record<string, string> = {};
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    const [, option = "", inline] = /^--([^=]+)(?:=([^]*))?$/.exec(word) ?? [];
    if (option === "") {
      throw new UsageError(
        "ARGUMENT_UNEXPECTED",
        `${family.name}: ${JSON.stringify(word)} is not expected here; parameters are given as --name value`,
      );
    }
    const param = known.find((each) => each === option || kebabCase(each) === option);
    if (param === undefined) {
      const options = known.map((each) => `--${each}`);
      const hint =
        didYouMean(`--${option}`, options) || ` It takes: ${options.join(", ") || "none"}.`;
      throw new UsageError(
        "PARAMETER_UNKNOWN",
        `${family.name} has no parameter "--${option}".${hint}`,
      );
    }
    if (inline === undefined) index += 1;
    const value = inline ?? words[index];
    if (value === undefined) {
      throw new UsageError("PARAMETER_MISSING", `${family.name}: --${param} needs a value`);
    }
    if (value !== "") texts[param] = value;
  }
  return family.parse(texts);
}

function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
