/**
 * Schedules: when a root is enqueued, and for which date. The date is a function of the nominal
 * instant of a tick in the schedule's zone, never of the clock, so a late tick asks for the right day.
 */
import { Temporal } from "temporal-polyfill";
import { milliseconds } from "./duration.ts";
import { UsageError } from "./errors.ts";
import type { Task } from "./task.ts";

export interface Schedule {
  /** Names it in Redis and on pages. */
  readonly id: string;
  /** Local time of day, `HH:MM`. */
  readonly at: string;
  /** IANA zone, for example `Europe/Berlin`. */
  readonly timezone: string;
  /** Milliseconds between ticks that expand the root again until it is complete. */
  readonly again: number;
  /** The root for a calendar date. */
  rootFor(date: Temporal.PlainDate): Task;
}

/**
 * Enqueues *yesterday's* root every day at a local time, and expands it again every `again` until it
 * is complete.
 *
 * ```ts
 * daily(AllTasks, { at: "02:30", timezone: "Europe/Berlin", again: "30m" })
 * ```
 */
export function daily(
  root: { readonly name: string } & ((params: { readonly date: Temporal.PlainDate }) => Task),
  options: { readonly at: string; readonly timezone?: string; readonly again?: string },
): Schedule {
  const { at, timezone = "UTC", again = "30m" } = options;
  if (!/^([01]\d|2[0-3]):[0-5]\d$/.test(at)) {
    throw new UsageError(
      "SCHEDULE_INVALID",
      `${root.name}: expected the schedule's time to be HH:MM, got ${JSON.stringify(at)}`,
    );
  }
  try {
    Temporal.Now.zonedDateTimeISO(timezone);
  } catch (cause) {
    throw new UsageError(
      "SCHEDULE_INVALID",
      `${root.name}: ${JSON.stringify(timezone)} is not a time zone; use an IANA name such as "Europe/Berlin"`,
      { cause },
    );
  }
  return {
    id: root.name,
    at,
    timezone,
    again: milliseconds(again, `${root.name}: the schedule's again`),
    rootFor: (date) => root({ date }),
  };
}

/** The calendar day before a nominal instant (milliseconds since 1970), in the schedule's zone. */
export function dayBefore(nominalInstant: number, timezone: string): Temporal.PlainDate {
  return Temporal.Instant.fromEpochMilliseconds(nominalInstant)
    .toZonedDateTimeISO(timezone)
    .toPlainDate()
    .subtract({ days: 1 });
}

/** The last instant at or before `now` when the schedule was due: the nominal instant of a tick. */
export function lastDue(schedule: Schedule, now: number): number {
  const [hour = 0, minute = 0] = schedule.at.split(":").map(Number);
  const local = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(schedule.timezone);
  const today = local.toPlainDate();
  const dueOn = (date: Temporal.PlainDate) =>
    date.toZonedDateTime({
      timeZone: schedule.timezone,
      plainTime: new Temporal.PlainTime(hour, minute),
    }).epochMilliseconds;
  const due = dueOn(today);
  return due <= now ? due : dueOn(today.subtract({ days: 1 }));
}
