/** `sluice graph`: the dependency graph as text. Needs no service: it asks nothing but the code. */
import { makePlan } from "../../core/plan.ts";
import { type GraphFormat, renderGraph } from "../graph.ts";
import type { Named, Session } from "../session.ts";

export async function graphCommand(
  { terminal }: Session,
  { root }: Named,
  options: { readonly format: GraphFormat },
): Promise<void> {
  const plan = await makePlan(root, async (tasks) => tasks.map(() => ({ state: "absent" })));
  terminal.print(renderGraph(plan, options.format));
}
