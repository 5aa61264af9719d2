import { expect, test } from "vitest";
import { bytesText, clockText, rowsText, secondsText } from "../../../src/cli/quantity.ts";

test.each([
  [0, "0 rows"],
  [1, "1 row"],
  [49_120, "49,120 rows"],
])("%i rows are written %s", (rows, text) => expect(rowsText(rows)).toBe(text));

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [8_123_456, "8.1 MB"],
  [99_960_000, "100 MB"],
  [999_600_000, "1.0 GB"],
  [5_000_000_000, "5.0 GB"],
  [2e18, "2000 PB"],
])("%i bytes are written %s", (bytes, text) => expect(bytesText(bytes)).toBe(text));

test.each([
  [0.04, "0.0 s"],
  [6.24, "6.2 s"],
  [59.96, "1 min 0 s"],
  [200, "3 min 20 s"],
  [7500, "2 h 5 min"],
])("%f seconds are written %s", (seconds, text) => expect(secondsText(seconds)).toBe(text));

test.each([
  [4.9, "00:04"],
  [75, "01:15"],
  [3723, "1:02:03"],
])("a clock after %f seconds shows %s", (seconds, text) => expect(clockText(seconds)).toBe(text));
