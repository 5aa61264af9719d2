/** `sluice dashboard`: Bull Board over the project's queues, in the foreground. */
import { loginOf } from "../../../dashboard/login.ts";
import { startDashboard } from "../../../dashboard/start-dashboard.ts";
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
  const queues = [...project.queues, ...(project.schedules.length > 0 ? [SCHEDULE_QUEUE] : [])];
  const dashboard = await openDashboard(queues, settings, (error) => terminal.tell(String(error)));
  terminal.print(`Bull Board at ${dashboard.address}/queues`);
  await new Promise((resolve) => {
    signal.addEventListener("abort", resolve, { once: true });
  });
  await dashboard.close();
}

/** Listens, with a connection of its own. */
export async function openDashboard(
  queues: readonly string[],
  settings: Settings,
  onError: (error: unknown) => void,
): Promise<Listening> {
  const engine = await Engine.open({
    redisUrl: required(settings, "REDIS_URL").reveal(),
    prefix: settings.SLUICE_PREFIX,
    environment: settings.SLUICE_ENVIRONMENT,
  });
  const { SLUICE_DASHBOARD_USER: user, SLUICE_DASHBOARD_PASSWORD: password } = settings;
  try {
    const dashboard = await startDashboard({
      queues: queues.map((name) => engine.queue(name)),
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
