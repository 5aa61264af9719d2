/** `sluice resources`: limits, who holds units and who waits; `sluice resources set` changes a limit. */
import { UsageError } from "../../core/errors.ts";
import { type ResourceStatus, resourceStatus, setLimit, statusOf } from "../../queue/resources.ts";
import { EXIT } from "../exit.ts";
import { operatorName } from "../operator.ts";
import { printPage } from "../print-page.ts";
import { countText } from "../quantity.ts";
import type { Session } from "../session.ts";
import { timeAndDistance } from "../time-text.ts";
import { type TaskCommandOptions, withWorkplace } from "../with-workplace.ts";

/** Shown of those who wait for one resource; `--json` has them all. */
const MOST_WAITING = 10;

export async function resourcesCommand(
  session: Session,
  options: TaskCommandOptions,
): Promise<number> {
  const { terminal } = session;
  return withWorkplace(session, options, async (place) => {
    const resources = await resourceStatus(place);
    if (options.json) terminal.print(JSON.stringify(resources));
    else printPage(terminal, resourceLines(resources));
    return EXIT.done;
  });
}

export interface SetResourceOptions extends TaskCommandOptions {
  readonly reason?: string;
}

/** `limit` is a whole number, or `default` for the limit of the project. */
export async function setResourceCommand(
  session: Session,
  name: string,
  limit: string,
  options: SetResourceOptions,
): Promise<number> {
  const { terminal } = session;
  const wanted = limit === "default" ? undefined : wholeNumber(limit);
  return withWorkplace(session, options, async (place) => {
    const who = { who: operatorName(), reason: options.reason ?? "" };
    const before = await setLimit(place, name, wanted, who);
    const now = await statusOf(place, name);
    if (options.json) terminal.print(JSON.stringify({ ...now, before }));
    else printPage(terminal, [`${name}: limit ${now.limit}, was ${before}${effect(now)}`]);
    return EXIT.done;
  });
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(
    "RESOURCE_UNITS_INVALID",
    `${JSON.stringify(text)} cannot be a limit: give a whole number (0 lets nothing begin), or "default" for the limit of the project`,
  );
}

function effect({ limit, inUse }: ResourceStatus): string {
  if (inUse > limit) {
    return `. ${inUse} are in use: what runs goes on, and nothing begins until fewer are`;
  }
  return limit === 0 ? ". Nothing that needs it begins" : "";
}

/** What `sluice resources` says. */
export function resourceLines(resources: readonly ResourceStatus[]): string[] {
  if (resources.length === 0) {
    return [
      "this project has no resources: defineConfig({ resources: { redshift: 4 } }) names them",
    ];
  }
  return resources.flatMap((each, index) => [...(index === 0 ? [] : [""]), ...oneResource(each)]);
}

function oneResource({
  name,
  limit,
  configured,
  inUse,
  holders,
  waiting,
}: ResourceStatus): string[] {
  const set = limit === configured ? "" : ` (set by an operator; the project's is ${configured})`;
  const paused = limit === 0 ? ": nothing begins" : "";
  const width = Math.max(0, ...[...holders, ...waiting].map((each) => each.name.length));
  const rest = waiting.length - MOST_WAITING;
  return [
    `${name}: ${inUse} of ${limit} in use${set}${paused}`,
    ...holders.map(
      (each) =>
        `  ${each.name.padEnd(width)}  holds ${each.units} since ${timeAndDistance(each.since)}${each.silent ? ", and its worker is silent: its units come back soon" : ""}`,
    ),
    ...waiting
      .slice(0, MOST_WAITING)
      .map(
        (each, index) =>
          `  ${each.name.padEnd(width)}  waits for ${each.units}, ${index === 0 ? "next" : `behind ${index}`}${each.units > limit ? `: more than the limit, so it waits until that is raised` : ""}`,
      ),
    ...(rest > 0 ? [`  … and ${countText(rest)} more wait: --json has all`] : []),
  ];
}
