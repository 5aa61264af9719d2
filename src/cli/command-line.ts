/** The command line for a task, for a POSIX shell: what is printed can be copied and run. */
import { isOptional } from "../core/params/codec.ts";
import type { Task } from "../core/task.ts";
import type { DevelopmentOption } from "./development.ts";
import type { ConfigOption } from "./session.ts";

export type Verb = "run" | "retry";

/** For example `sluice run Copy --table orders --note 'a b'`. */
export function commandOf(verb: Verb, task: Task): string {
  const options = Object.entries(task.texts).flatMap(([name, text]) => {
    const codec = task.family.params[name];
    if (text === "" && codec !== undefined && isOptional(codec)) return [];
    // A value that looks like an option must be attached to its own.
    return text.startsWith("-")
      ? [`${quote(`--${name}`)}=${quote(text)}`]
      : [quote(`--${name}`), quote(text)];
  });
  return [`sluice ${verb}`, task.family.name, ...options].join(" ");
}

export type CommandFor = (verb: Verb, task: Task) => string;

/** The same with the options of this command, so that it can be copied as it is. */
export function commandFor({ config, dev }: ConfigOption & DevelopmentOption): CommandFor {
  return (verb, task) => {
    const options = [
      ...(config === "sluice.config.ts" ? [] : [`--config ${quote(config)}`]),
      ...(dev === true ? ["--dev"] : []),
    ];
    return [commandOf(verb, task), ...options].join(" ");
  };
}

function quote(word: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
