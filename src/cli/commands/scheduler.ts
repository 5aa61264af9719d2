/** `sluice scheduler`: one scheduler process in the foreground. */
import { runScheduler } from "../../../workers/scheduler.ts";
import { readSettings } from "../../settings.ts";
import { loadProject } from "../load-project.ts";
import type { ConfigOption, Session } from "../session.ts";

export async function schedulerCommand(
  { environment }: Session,
  options: ConfigOption,
): Promise<void> {
  await runScheduler(await loadProject(options.config), readSettings(environment));
}
