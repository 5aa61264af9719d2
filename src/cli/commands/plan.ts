/** `sluice plan`: what would run, and why the rest would not. Writes nothing. */
import { planRoot } from "../../queue/submit.ts";
import { openWorkplace } from "../../workplace.ts";
import { type DevelopmentOption, withServices } from "../development.ts";
import { explainPlan, planJson } from "../explain-plan.ts";
import type { Named, Session } from "../session.ts";

export async function planCommand(
  { environment, terminal, signal }: Session,
  { project, root }: Named,
  options: DevelopmentOption & { readonly json?: boolean; readonly verify?: boolean },
): Promise<void> {
  await withServices(environment, options, async (settings) => {
    const place = await openWorkplace(project, settings);
    try {
      const plan = await planRoot(place, root, { signal, verify: options.verify ?? false });
      if (options.json) terminal.print(JSON.stringify(planJson(plan)));
      else for (const line of explainPlan(plan)) terminal.print(line);
    } finally {
      await place.close();
    }
  });
}
