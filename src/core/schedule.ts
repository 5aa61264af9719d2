/**
 * Schedules: when a root is enqueued, and for which date. The date is a function of the nominal
 * instant of a tick in the schedule's zone, never of the clock, so a late tick asks for the right day.
 */
import { CronExpressionParser } from "cron-parser";
import { Temporal } from "temporal-polyfill";
import { milliseconds } from "./duration.ts";
import { messageOf, UsageError } from "./errors.ts";
import type { Task } from "./task.ts";

export interface Schedule {
  /** Names it in Redis and on pages. */
  readonly id: string;
  /** Cron, five fields, or six with seconds first. */
  readonly pattern: string;
  /** IANA zone, for example `Europe/Berlin`. */
  readonly timezone: string;
  /** Milliseconds between ticks that expand the root again until it is complete. */
  readonly again: number;
  /** When a tick gives fresh attempts to what failed for good. */
  readonly retryFailed: RetryRule;
  /** The root for a calendar date. */
  rootFor(date: Temporal.PlainDate): Task;
}

/**
 * So that a statement that cannot succeed is not sent to the database every half hour for ever. A
 * person's `run` or `retry` asks nobody, and starts the count anew.
 */
export interface RetryRule {
  /** Milliseconds since the failure. */
  readonly after: number;
  /** Per task, until it completes or a person retries it. */
  readonly times: number;
}

interface ScheduleOptions {
  /** IANA zone. Default: `UTC`. */
  readonly timezone?: string;
  /** The pause between two ticks. Default: `"30m"`. */
  readonly again?: string;
  /**
   * How long a task that failed for good is left alone by the ticks. Default: half of `again`: one
   * that failed early in the pause is retried by the next tick, one that failed late by that after.
   */
  readonly retryFailedAfter?: string;
  /** How often the ticks retry one task. Default: 10. */
  readonly retryFailedTimes?: number;
}

type DatedFamily = { readonly name: string } & ((params: {
  readonly date: Temporal.PlainDate;
}) => Task);

/**
 * Enqueues *yesterday's* root every day at a local time, and expands it again every `again` until it
 * is complete.
 *
 * ```ts
 * daily(AllTasks, { at: "02:30", timezone: "Europe/Berlin", again: "30m" })
 * ```
 */
export function daily(
  root: DatedFamily,
  options: ScheduleOptions & { readonly at: string },
): Schedule {
  const [, hour, minute] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(options.at) ?? [];
  if (hour === undefined || minute === undefined) {
    throw new UsageError(
      "SCHEDULE_INVALID",
      `${root.name}: expected the schedule's time to be HH:MM, got ${JSON.stringify(options.at)}`,
    );
  }
  return scheduled(root, { ...options, pattern: `${Number(minute)} ${Number(hour)} * * *` });
}

/** Like `daily`, at the instants of a cron pattern; the date is the day before each of them. */
export function scheduled(
  root: DatedFamily,
  options: ScheduleOptions & { readonly pattern: string },
): Schedule {
  const { pattern, timezone = "UTC", again = "30m", retryFailedTimes: times = 10 } = options;
  try {
    CronExpressionParser.parse(pattern, { tz: timezone });
    Temporal.Now.zonedDateTimeISO(timezone);
  } catch (cause) {
    throw new UsageError(
      "SCHEDULE_INVALID",
      `${root.name}: ${JSON.stringify(pattern)} in the zone ${JSON.stringify(timezone)} is not a schedule (${messageOf(cause)}): use five cron fields and an IANA zone such as "Europe/Berlin"`,
      { cause },
    );
  }
  const pause = milliseconds(again, `${root.name}: the schedule's again`);
  if (pause < 1000) {
    throw new UsageError(
      "SCHEDULE_INVALID",
      `${root.name}: the schedule's again must be at least "1s", got ${JSON.stringify(again)}`,
    );
  }
  if (!Number.isInteger(times) || times < 0) {
    throw new UsageError(
      "SCHEDULE_INVALID",
      `${root.name}: the schedule's retryFailedTimes must be a whole number, 0 for never, got ${times}`,
    );
  }
  const { retryFailedAfter } = options;
  const after =
    retryFailedAfter === undefined
      ? pause / 2
      : milliseconds(retryFailedAfter, `${root.name}: the schedule's retryFailedAfter`);
  return {
    id: root.name,
    pattern,
    timezone,
    again: pause,
    retryFailed: { after, times },
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

/** The last instant at or before `instant` when the schedule was due. */
export function lastDue(schedule: Schedule, instant: number): number {
  const after = (milliseconds: number) =>
    CronExpressionParser.parse(schedule.pattern, {
      tz: schedule.timezone,
      currentDate: new Date(milliseconds),
    });
  // BullMQ ticks by `next()`, and `prev()` does not mirror it when clocks change: it passes over a
  // 02:30 that does not exist, and takes the second of two. So: two steps back, then forward.
  const back = after(instant + 1);
  back.prev();
  let last = back.prev().getTime();
  const forward = after(last);
  for (let next = last; next <= instant; next = forward.next().getTime()) last = next;
  return last;
}
