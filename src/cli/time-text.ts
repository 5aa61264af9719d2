/** Points in time as an operator reads them: in UTC, as every log has them, and how long ago. */
import { secondsText } from "./quantity.ts";

/** `2026-11-22 02:31:07Z` */
export function timeText(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19).replace("T", " ")}Z`;
}

/** `2026-11-22 02:31:07Z (3 min 20 s ago)`, or `(in 40.0 s)` */
export function timeAndDistance(milliseconds: number, now = Date.now()): string {
  const seconds = (milliseconds - now) / 1000;
  const distance = seconds > 0 ? `in ${secondsText(seconds)}` : `${secondsText(-seconds)} ago`;
  return `${timeText(milliseconds)} (${distance})`;
}
