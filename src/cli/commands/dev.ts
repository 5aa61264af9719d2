/** `npm run dev`: the development stack with the sample shop, workers and Bull Board, until Ctrl-C. */
import { DEVELOPMENT_FOLDER, openDevelopment } from "../development.ts";
import { loadProject } from "../load-project.ts";
import { partLine } from "../part-line.ts";
import type { Session } from "../session.ts";
import { openDashboard } from "./dashboard.ts";
import { seed, SHOP, startShopWorkers } from "./demo.ts";

export async function devCommand(session: Session): Promise<void> {
  const { terminal, signal } = session;
  terminal.tell(`sluice dev · everything is in ${DEVELOPMENT_FOLDER}/ (delete it to start over)`);
  const development = await openDevelopment(session.environment, (part) =>
    terminal.tell(partLine(part)),
  );
  try {
    const { date } = await seed(session, development.settings);
    const project = await loadProject(SHOP);
    const dashboard = await openDashboard(project.queues, development.settings, (error) =>
      terminal.tell(String(error)),
    );
    const workers = startShopWorkers(development);
    terminal.print(`Bull Board at ${dashboard.address}/queues`);
    terminal.tell(`workers log to ${workers.logs.join(", ")}`);
    terminal.tell("run it in another terminal, in this folder:");
    terminal.tell(`  npx sluice run AllTasks --date ${date} --config ${SHOP} --dev`);
    terminal.tell("Ctrl-C ends everything.");
    await new Promise((resolve) => {
      signal.addEventListener("abort", resolve, { once: true });
    });
    await workers.stop();
    await dashboard.close();
  } finally {
    await development.stop();
  }
}
