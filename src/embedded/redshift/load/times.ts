/**
 * Dates and times in files. Without a format Redshift takes its default one and nothing else; 'auto'
 * takes more. Of what 'auto' takes, the stand-in takes the forms of ISO 8601 and refuses the rest.
 */

import type { Conversion } from "../sql/copy-statement.ts";
import { RowError } from "./row.ts";

const MAX_YEAR = 294_276;
const DATE = /^(\d{4,6})-(\d\d)-(\d\d)$/;
const AUTO_TIMESTAMP =
  /^(\d{4,6}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))? ?(Z|[+-]\d\d(?::?\d\d)?)?$/;
const DEFAULT_TIMESTAMP = /^(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d:\d\d(?:\.\d+)?))?()$/;
const DEFAULT_TIMESTAMPTZ =
  /^(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d:\d\d(?:\.\d+)?))?(Z|[+-]\d\d(?::?\d\d)?)?$/;

export function dateValue(format: Conversion["dateFormat"]): (field: string) => string {
  return (field) => {
    // In 'auto' a timestamp is a date, too: its time is dropped.
    const date = format === "auto" ? (AUTO_TIMESTAMP.exec(field)?.[1] ?? field) : field;
    if (!isDate(date)) throw new RowError(1205, "Invalid Date Format - length must be 10 or more");
    return date;
  };
}

export function timestampValue(
  zoned: boolean,
  format: Conversion["timeFormat"],
): (field: string) => string {
  if (format === "epochsecs" || format === "epochmillisecs") return epochValue(zoned, format);
  const pattern =
    format === "auto" ? AUTO_TIMESTAMP : zoned ? DEFAULT_TIMESTAMPTZ : DEFAULT_TIMESTAMP;
  return (field) => {
    const [, date = "", time = "00:00:00", offset = ""] = pattern.exec(field) ?? [];
    if (!isDate(date) || !isTime(time)) throw invalidTimestamp();
    // TIMESTAMP has no zone: an offset is dropped without a word, as Redshift does.
    return zoned
      ? `${date} ${micros(time)}${offset === "" ? "+00" : offset}`
      : `${date} ${micros(time)}`;
  };
}

export function timeValue(zoned: boolean): (field: string) => string {
  return (field) => {
    const match = /^(\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d(?::?\d\d)?)?$/.exec(field);
    const [, time = "", offset = ""] = match ?? [];
    if (!isTime(time) || (!zoned && offset !== "")) {
      throw new RowError(1206, "Invalid time format or value [HH24:MI:SS]");
    }
    return `${micros(time)}${zoned && offset === "" ? "+00" : offset}`;
  };
}

function epochValue(zoned: boolean, format: "epochsecs" | "epochmillisecs") {
  return (field: string): string => {
    if (!/^-?\d+(?:\.\d+)?$/.test(field)) throw invalidTimestamp();
    const millis = Number(field) * (format === "epochsecs" ? 1000 : 1);
    const at = new Date(millis);
    if (Number.isNaN(at.getTime())) throw invalidTimestamp();
    return at
      .toISOString()
      .replace("T", " ")
      .replace("Z", zoned ? "+00" : "");
  };
}

function isDate(text: string): boolean {
  const match = DATE.exec(text);
  if (match === null) return false;
  const [year = 0, month = 0, day = 0] = match.slice(1).map(Number);
  const days = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
  return year > 0 && year <= MAX_YEAR && month >= 1 && month <= 12 && day >= 1 && day <= days;
}

function isTime(text: string): boolean {
  const [hours = "", minutes = "", seconds = "00"] = text.split(":");
  return hours !== "" && Number(hours) < 24 && Number(minutes) < 60 && Number(seconds) < 60;
}

/** Digits beyond the microsecond are cut off. */
const micros = (time: string): string => time.replace(/(\.\d{6})\d+$/, "$1");

const invalidTimestamp = (): RowError =>
  new RowError(1206, "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]");
