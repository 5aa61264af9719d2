/**
 * A length of time. Reads seconds (`90`, `1.5`), ISO 8601 (`P3W`, `P1DT2H`) and words
 * (`1 w 2 d 3 h`, `90 minutes`, the longest unit first), and prints `1 w 2 d 3 h 4 m 5 s`, which is
 * Luigi's form and has no parts of a second. Refuses years and months: they have no fixed length.
 */
import { Temporal } from "temporal-polyfill";
import { asciiDigits, parsePythonFloat } from "../python-number.ts";
import type { ParamKind } from "./codec.ts";

const SECONDS = { week: 604_800, day: 86_400, hour: 3600, minute: 60 } as const;
/** Python's `timedelta` ends here. */
const MAX_SECONDS = 999_999_999 * SECONDS.day;

const ISO = /^P(?:(\d+)W|(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?)$/;
const WORDS = new RegExp(
  `^${["w|wks?|weeks?", "d|days?", "h|hrs?|hours?", "m|mins?|minutes?", "s|secs?|seconds?"]
    .map((unit) => `(?:(\\d+) ?(?:${unit}) ?)?`)
    .join("")}$`,
);

export const duration: ParamKind<Temporal.Duration> = {
  name: "duration",
  form: '"1 w 2 d 3 h 4 m 5 s", "90 minutes", P1DT2H or seconds',
  decode: (text) => {
    const seconds = parsePythonFloat(text);
    if (seconds !== undefined) return durationOf(seconds);
    const plain = asciiDigits(text);
    const iso = durationOfParts(ISO.exec(plain));
    // Luigi refuses zero in this form (`P0D`), and so do we: `0 s` says it.
    if (iso !== undefined) return iso.blank ? undefined : iso;
    return durationOfParts(WORDS.exec(plain));
  },
  encode: (value) => (value instanceof Temporal.Duration ? durationText(value) : undefined),
};

function durationOfParts(match: RegExpExecArray | null): Temporal.Duration | undefined {
  const groups = match?.slice(1) ?? [];
  if (groups.every((group) => group === undefined)) return undefined;
  const [weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = groups.map((group) =>
    Number(group ?? 0),
  );
  return durationOf(
    weeks * SECONDS.week +
      days * SECONDS.day +
      hours * SECONDS.hour +
      minutes * SECONDS.minute +
      seconds,
  );
}

/** Days are the largest unit: `Duration.total` needs a calendar for weeks. */
function durationOf(seconds: number): Temporal.Duration | undefined {
  // Also refuses NaN.
  if (!(Math.abs(seconds) <= MAX_SECONDS)) return undefined;
  const whole = Math.trunc(seconds);
  const microseconds = Math.round((seconds - whole) * 1e6);
  return Temporal.Duration.from({ seconds: whole, microseconds }).round({ largestUnit: "days" });
}

function durationText(duration: Temporal.Duration): string | undefined {
  const { years, months, weeks, days } = duration;
  if (years !== 0 || months !== 0) return undefined;
  const time = duration.with({ weeks: 0, days: 0 }).total("seconds");
  const total = Math.floor(weeks * SECONDS.week + days * SECONDS.day + time);
  const wholeDays = Math.floor(total / SECONDS.day);
  const rest = total - wholeDays * SECONDS.day;
  const wholeWeeks = Math.floor(wholeDays / 7);
  return [
    `${wholeWeeks} w ${wholeDays - wholeWeeks * 7} d`,
    `${Math.floor(rest / SECONDS.hour)} h`,
    `${Math.floor((rest % SECONDS.hour) / SECONDS.minute)} m ${rest % SECONDS.minute} s`,
  ].join(" ");
}
