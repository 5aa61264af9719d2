/** `sluice dashboard`: Bull Board over the project's queues, in the foreground. */
import { loginOf } from "../../../dashboard/login.ts";
import { startDashboard } from "../../../dashboard/start-dashboard.ts";
import type { Project } from "../../core/config.ts";
import type { Listening } from "../../http/listen.ts";
import { Engine } from "../../queue/engine.ts";
import { SCHEDULE_QUEUE } from "../../queue/scheduler.ts";
import { readSettings, required, type Settings } from "../../settings.ts";
import { loadProject } from "../load-project.ts";
import type { ConfigOption, Session } from "../session.ts";

export async function dashboardCommand(
  { environment, terminal, signal }: Session,
  options: ConfigOption,
): Promise<void> {
  const settings = readSettings(environment);
  const project = await loadProject(options.config);
  const dashboard = await openDashboard(project, settings, (error) => terminal.tell(String(error)));
  terminal.print(`Bull Board at ${dashboard.address}/queues`);
  await new Promise((resolve) => {
    signal.addEventListener("abort", resolve, { once: true });
  });
  await dashboard.close();
}

/** Listens, with a connection of its own. */
export async function openDashboard(
  project: Project,
  settings: Settings,
  onError: (error: unknown) => void,
): Promise<Listening> {
  const engine = await Engine.open({
    redisUrl: required(settings, "REDIS_URL").reveal(),
    prefix: settings.SLUICE_PREFIX,
  });
  const { SLUICE_DASHBOARD_USER: user, SLUICE_DASHBOARD_PASSWORD: password } = settings;
  const names = [...project.queues, ...(project.schedules.length > 0 ? [SCHEDULE_QUEUE] : [])];
  try {
    const dashboard = await startDashboard({
      queues: names.map((name) => engine.queue(name)),
      environment: settings.SLUICE_ENVIRONMENT,
      host: settings.SLUICE_DASHBOARD_HOST,
      port: settings.SLUICE_DASHBOARD_PORT,
      auth: loginOf(user, password),
      onError,
    });
    return {
      address: dashboard.address,
      async close() {
        await dashboard.close();
        await engine.close();
      },
    };
  } catch (error) {
    await engine.close();
    throw error;
  }
}
