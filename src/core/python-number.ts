/**
 * Numbers as Python reads and prints them: `int(text)`, `float(text)` and `repr(float)`. Task ids
 * hash these texts, so they must not differ by a character. Knows nothing of parameters.
 */

/** What Python's numbers may stand between; JavaScript's `trim()` takes off one more, U+FEFF. */
const SPACE = "[\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const OUTER_SPACE = new RegExp(`^${SPACE}+|${SPACE}+$`, "g");
const DIGITS = "[0-9]+(?:_[0-9]+)*";
const INT = new RegExp(`^[+-]?${DIGITS}$`);
/** As `repr` prints it, and small enough to be exact: what nearly every text of an int is. */
const PLAIN_INT = /^(?:0|-?[1-9][0-9]{0,14})$/;
const FLOAT = new RegExp(
  `^[+-]?(?:(?:${DIGITS}(?:\\.(?:${DIGITS})?)?|\\.${DIGITS})(?:e[+-]?${DIGITS})?)$`,
  "i",
);
const NOT_FINITE = /^([+-]?)(?:(nan)|inf(?:inity)?)$/i;

/** Python's own limit: beyond it, conversion takes quadratic time. */
const MAX_INT_DIGITS = 4300;

/** `int(text)`: a number while that is exact, a bigint beyond. Undefined where Python raises. */
export function parsePythonInt(text: string): number | bigint | undefined {
  if (PLAIN_INT.test(text)) return Number(text);
  const plain = asciiDigits(text.replace(OUTER_SPACE, ""));
  if (!INT.test(plain)) return undefined;
  const digits = plain.replaceAll("_", "").replace(/^\+/, "");
  if (digits.replace("-", "").length > MAX_INT_DIGITS) return undefined;
  const value = Number(digits);
  if (Number.isSafeInteger(value)) return value === 0 ? 0 : value;
  return digits.startsWith("-") ? -BigInt(digits.slice(1)) : BigInt(digits);
}

/** `float(text)`. Undefined where Python raises. */
export function parsePythonFloat(text: string): number | undefined {
  const plain = asciiDigits(text.replace(OUTER_SPACE, ""));
  if (FLOAT.test(plain)) return Number(plain.replaceAll("_", ""));
  const named = NOT_FINITE.exec(plain);
  if (named === null) return undefined;
  if (named[2] !== undefined) return Number.NaN;
  return named[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** `repr(value)` of a Python float: `1.0`, `1e+16` (JavaScript changes over at 1e21), `inf`. */
export function pythonFloatText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const [mantissa = "", exponentText = ""] = Math.abs(value).toExponential().split("e");
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 16) {
    const size = String(Math.abs(exponent)).padStart(2, "0");
    return `${sign}${mantissa}e${exponent < 0 ? "-" : "+"}${size}`;
  }
  const digits = mantissa.replace(".", "");
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  return `${sign}${whole}.${digits.slice(exponent + 1) || "0"}`;
}

/**
 * Decimal digits of every script as 0 to 9: Python reads them all. Unicode keeps each script's ten
 * digits together and in order, so the place in an unbroken row of digits tells the value.
 */
export function asciiDigits(text: string): string {
  if (/^\p{ASCII}*$/u.test(text)) return text;
  return text.replace(/\p{Nd}/gu, (digit) => {
    const codePoint = digit.codePointAt(0) ?? 0;
    let first = codePoint;
    while (/^\p{Nd}$/u.test(String.fromCodePoint(first - 1))) first--;
    return String((codePoint - first) % 10);
  });
}
