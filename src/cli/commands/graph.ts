/** `sluice graph`: the dependency graph as text. Needs no service: it asks nothing but the code. */
import { makePlan } from "../../core/plan.ts";
import { type GraphFormat, renderGraph } from "../graph.ts";
import { loadProject } from "../load-project.ts";
import type { ConfigOption, Session } from "../session.ts";
import { taskFromArguments } from "../task-arguments.ts";

export async function graphCommand(
  { terminal }: Session,
  name: string,
  words: readonly string[],
  options: ConfigOption & { readonly format: GraphFormat },
): Promise<void> {
  const project = await loadProject(options.config);
  const root = taskFromArguments(project, name, words);
  const plan = await makePlan(root, async (tasks) => tasks.map(() => ({ state: "absent" })));
  terminal.print(renderGraph(plan, options.format));
}
