/** Numbers as people read them: `49,120 rows`, `8.1 MB`, `6.2 s`, `00:04`. The same in every locale. */

/** `49,120` */
export function countText(count: number): string {
  return count.toLocaleString("en-US");
}

/** `1 row`, `49,120 rows` */
export function rowsText(rows: number): string {
  return `${countText(rows)} ${rows === 1 ? "row" : "rows"}`;
}

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** `812 B`, `8.1 MB`, `120 GB`: powers of 1000, as S3's and disks' prices are. */
export function bytesText(bytes: number): string {
  let unit = 0;
  let size = bytes;
  // 999.5 would print as 1000.
  while (size >= (unit === 0 ? 1000 : 999.5) && unit < UNITS.length - 1) {
    size /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || size >= 99.95 ? 0 : 1;
  return `${size.toFixed(digits)} ${UNITS[unit]}`;
}

/** `0.4 s`, `6.2 s`, `3 min 20 s`, `2 h 5 min` */
export function secondsText(seconds: number): string {
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** A clock that runs: `00:04`, `1:02:03` */
export function clockText(seconds: number): string {
  const whole = Math.floor(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  const minutes = two(Math.floor((whole % 3600) / 60));
  const hours = Math.floor(whole / 3600);
  return `${hours > 0 ? `${hours}:` : ""}${minutes}:${two(whole % 60)}`;
}
