/** `npm run demo`: the sample shop's pipeline for yesterday, on services that it brings up itself. */
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Temporal } from "temporal-polyfill";
import { seedShop } from "../../../examples/shop/seed.ts";
import { required, type Settings } from "../../settings.ts";
import { openWorkplace } from "../../workplace.ts";
import { commandFor } from "../command-line.ts";
import { DEVELOPMENT_FOLDER, type Development, openDevelopment } from "../development.ts";
import { EXIT } from "../exit.ts";
import { loadProject } from "../load-project.ts";
import { partLine } from "../part-line.ts";
import { runRoot } from "../run-root.ts";
import type { Session } from "../session.ts";
import { startWorkerProcesses } from "../worker-processes.ts";

export const SHOP = path.relative(
  process.cwd(),
  fileURLToPath(new URL("../../../examples/shop/sluice.config.ts", import.meta.url)),
);
const WORKERS = 2;

export async function demoCommand(
  session: Session,
  options: { readonly json?: boolean },
): Promise<number> {
  const { terminal } = session;
  terminal.tell(`sluice demo · everything is in ${DEVELOPMENT_FOLDER}/ (delete it to start over)`);
  const development = await openDevelopment(session.environment, (part) =>
    terminal.tell(partLine(part)),
  );
  try {
    const { date } = await seed(session, development.settings);
    const project = await loadProject(SHOP);
    const place = await openWorkplace(project, development.settings);
    try {
      const root = project.family("AllTasks").parse({ date });
      const { status } = await runRoot(session, place, root, {
        json: options.json ?? false,
        command: commandFor({ config: SHOP, dev: true }),
        startWorkers: () => startShopWorkers(development),
      });
      if (!options.json) for (const line of nextSteps(date)) terminal.tell(line);
      return status === "done" ? EXIT.done : EXIT.taskFailed;
    } finally {
      await place.close();
    }
  } finally {
    await development.stop();
  }
}

/** Fills the shop's database for the week that ends yesterday, unless it was. */
export async function seed(
  { terminal }: Session,
  settings: Settings,
): Promise<{ readonly date: string }> {
  const started = performance.now();
  const date = Temporal.Now.plainDateISO("UTC").subtract({ days: 1 });
  const { tables, rows, seeded } = await seedShop({
    sourceUrl: required(settings, "SOURCE_URL").reveal(),
    date,
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const what = seeded ? `${tables} tables, ${rows.toLocaleString("en")} rows` : "already there";
  terminal.tell(`  ✓ shop       ${what}, the week up to ${date}  ${seconds} s`);
  return { date: date.toString() };
}

export function startShopWorkers({ environment }: Development) {
  return startWorkerProcesses({
    count: WORKERS,
    config: SHOP,
    folder: DEVELOPMENT_FOLDER,
    environment,
  });
}

function nextSteps(date: string): string[] {
  return [
    "next  npm run demo       once more: everything is complete, nothing runs",
    "      npm run dev        keeps this stack up, with Bull Board",
    `      npx sluice graph AllTasks --date ${date} --config ${SHOP}`,
  ];
}
