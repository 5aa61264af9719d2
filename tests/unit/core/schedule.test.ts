import { Temporal } from "temporal-polyfill";
import { describe, expect, test } from "vitest";
import { defineTask } from "../../../src/core/define.ts";
import { p } from "../../../src/core/params/p.ts";
import { daily, dayBefore, lastDue, scheduled } from "../../../src/core/schedule.ts";

const All = defineTask({ name: "All", params: { date: p.date() } }, () => {});
const at = (text: string) => Temporal.Instant.from(text).epochMilliseconds;
const due = (schedule: ReturnType<typeof daily>, text: string) =>
  Temporal.Instant.fromEpochMilliseconds(lastDue(schedule, at(text))).toString();

describe("yesterday", () => {
  test.each([
    // UTC is a day behind or ahead of the zone.
    ["2026-11-22T01:30:00Z", "Europe/Berlin", "2026-11-21"],
    ["2026-11-21T23:30:00Z", "Europe/Berlin", "2026-11-21"],
    ["2026-11-22T03:30:00Z", "America/New_York", "2026-11-20"],
    ["2026-11-21T12:00:00Z", "Pacific/Kiritimati", "2026-11-21"],
    // Ends of months and years.
    ["2026-03-01T12:00:00Z", "UTC", "2026-02-28"],
    ["2024-03-01T12:00:00Z", "UTC", "2024-02-29"],
    ["2027-01-01T00:00:00Z", "UTC", "2026-12-31"],
    // Days of 23 and 25 hours.
    ["2026-03-29T01:30:00Z", "Europe/Berlin", "2026-03-28"],
    ["2026-03-29T22:30:00Z", "Europe/Berlin", "2026-03-29"],
    ["2026-10-25T00:30:00Z", "Europe/Berlin", "2026-10-24"],
    ["2026-10-25T22:59:00Z", "Europe/Berlin", "2026-10-24"],
    ["2026-11-01T05:30:00Z", "America/New_York", "2026-10-31"],
    ["2026-11-02T04:59:00Z", "America/New_York", "2026-10-31"],
  ])("of %s in %s is %s", (instant, zone, date) => {
    expect(dayBefore(at(instant), zone).toString()).toBe(date);
  });
});

describe("a schedule was last due", () => {
  const berlin = daily(All, { at: "02:30", timezone: "Europe/Berlin" });
  const newYork = daily(All, { at: "02:30", timezone: "America/New_York" });

  test.each([
    ["at the instant itself", berlin, "2026-11-22T01:30:00Z", "2026-11-22T01:30:00Z"],
    [
      "the day before, a moment earlier",
      berlin,
      "2026-11-22T01:29:59.999Z",
      "2026-11-21T01:30:00Z",
    ],
    ["hours ago", berlin, "2026-11-22T22:00:00Z", "2026-11-22T01:30:00Z"],
    // 02:30 does not exist on 29 March in Berlin: it runs at 03:30 local time.
    ["once on the day of 23 hours", berlin, "2026-03-29T12:00:00Z", "2026-03-29T01:30:00Z"],
    // 02:30 exists twice on 25 October: the first counts.
    ["once on the day of 25 hours", berlin, "2026-10-25T12:00:00Z", "2026-10-25T00:30:00Z"],
    ["once on New York's 23 hours", newYork, "2026-03-08T12:00:00Z", "2026-03-08T07:30:00Z"],
    ["once on New York's 25 hours", newYork, "2026-11-01T22:00:00Z", "2026-11-01T07:30:00Z"],
  ])("%s", (_, schedule, instant, expected) => {
    expect(due(schedule, instant)).toBe(expected);
  });

  test.each([
    [berlin, "2026-03-25T20:00:00Z"],
    [berlin, "2026-10-20T20:00:00Z"],
    [newYork, "2026-03-04T20:00:00Z"],
    [newYork, "2026-10-28T20:00:00Z"],
  ])("once for every day around a change of clocks (%#)", (schedule, start) => {
    const dates = new Set<string>();
    for (let day = 0; day < 10; day++) {
      const evening = at(start) + day * 86_400_000;
      dates.add(dayBefore(lastDue(schedule, evening), schedule.timezone).toString());
    }
    expect(dates.size).toBe(10);
  });

  test("within a second, for patterns of six fields", () => {
    const often = scheduled(All, { pattern: "*/2 * * * * *" });
    expect(due(often, "2026-11-22T10:00:03.5Z")).toBe("2026-11-22T10:00:02Z");
  });
});

describe("a declaration", () => {
  test("asks for the root of a date, every 30 minutes until it is complete", () => {
    const schedule = daily(All, { at: "04:05", timezone: "Europe/Berlin" });
    expect(schedule).toMatchObject({
      id: "All",
      pattern: "5 4 * * *",
      timezone: "Europe/Berlin",
      again: 1_800_000,
    });
    expect(schedule.rootFor(Temporal.PlainDate.from("2026-11-21")).name).toBe(
      "All(date=2026-11-21)",
    );
  });

  test.each(["24:00", "2:30", "02:60", "noon", ""])("refuses the time %j", (time) => {
    expect(() => daily(All, { at: time })).toThrow(
      `All: expected the schedule's time to be HH:MM, got ${JSON.stringify(time)}`,
    );
  });

  test("refuses zones, patterns and pauses that are none, and says what to write", () => {
    expect(() => daily(All, { at: "02:30", timezone: "Berlin" })).toThrow(
      /"30 2 \* \* \*" in the zone "Berlin" is not a schedule .*: use five cron fields and an IANA zone/,
    );
    expect(() => scheduled(All, { pattern: "every day" })).toThrow("is not a schedule");
    expect(() => daily(All, { at: "02:30", again: "half an hour" })).toThrow(
      'All: the schedule\'s again: expected a duration like "30s"',
    );
    expect(() => daily(All, { at: "02:30", again: "0s" })).toThrow('must be at least "1s"');
    expect(() => daily(All, { at: "02:30", retryFailedTimes: -1 })).toThrow(
      "All: the schedule's retryFailedTimes must be a whole number, 0 for never, got -1",
    );
    expect(() => daily(All, { at: "02:30", retryFailedAfter: "soon" })).toThrow(
      'All: the schedule\'s retryFailedAfter: expected a duration like "30s"',
    );
  });

  test("leaves what failed alone for half of its pause, and retries it ten times", () => {
    expect(daily(All, { at: "02:30" }).retryFailed).toEqual({ after: 900_000, times: 10 });
    const rule = { retryFailedAfter: "2h", retryFailedTimes: 0 };
    expect(daily(All, { at: "02:30", ...rule }).retryFailed).toEqual({
      after: 7_200_000,
      times: 0,
    });
  });
});
