/** Customers and products: the same for every date. The first ones carry the hostile texts. */
import { bytea, type Row, textArray } from "./copy-text.ts";
import { Random } from "./random.ts";
import {
  CATEGORIES,
  FIRST_NAMES,
  HOSTILE_TEXTS,
  LAST_NAMES,
  MATERIALS,
  PLACES,
  THINGS,
} from "./words.ts";

export const CUSTOMERS = 2_000;
export const PRODUCTS = 300;

/** Around midnight in UTC, and the hours that clocks in Berlin skip and repeat. */
const ODD_MOMENTS = [
  "2024-12-31T23:59:59.999999Z",
  "2025-01-01T00:00:00Z",
  "2025-03-30T01:59:59+01:00",
  "2025-03-30T03:00:00+02:00",
  "2025-10-26T02:30:00+02:00",
  "2025-10-26T02:30:00+01:00",
];

export function* customerRows(): Generator<Row> {
  const random = new Random(1);
  for (let id = 1; id <= CUSTOMERS; id++) {
    const hostile = HOSTILE_TEXTS[id - 1];
    const name = `${random.pick(FIRST_NAMES)} ${random.pick(LAST_NAMES)}`;
    const [country, city, postcode] = random.pick(PLACES);
    const street = `${random.pick(LAST_NAMES)} ${random.int(1, 200)}`;
    const created =
      ODD_MOMENTS[id - 1] ??
      `2025-${two(random.int(1, 12))}-${two(random.int(1, 28))}T${two(random.int(0, 23))}:15:00Z`;
    yield [
      id,
      random.uuid(),
      name,
      `customer${id}@example.com`,
      hostile ?? (random.chance(0.5) ? null : random.chance(0.2) ? "" : name.slice(0, 4)),
      random.pick(["new", "regular", "regular", 'VIP "gold"']),
      random.pick([true, false, null]),
      textArray(hostile === undefined ? [country.toLowerCase()] : [hostile, null, ""]),
      JSON.stringify({
        street,
        city,
        postcode,
        country,
        extra: hostile === undefined ? null : { notes: [hostile] },
      }),
      hostile ?? (random.chance(0.9) ? null : `Rings twice.\nPrefers "the blue one".`),
      random.chance(0.9) ? null : bytea([0, 10, 13, 34, 92, 255, random.int(0, 255)]),
      created,
    ];
  }
}

/** In cents: sums of floats would not add up. */
export function priceOf(product: number): number {
  return new Random(product).int(199, 49_999);
}

export function* productRows(): Generator<Row> {
  const random = new Random(2);
  for (let id = 1; id <= PRODUCTS; id++) {
    const material = random.pick(MATERIALS);
    const hostile = HOSTILE_TEXTS[id - 1];
    yield [
      id,
      `SKU-${String(id).padStart(5, "0")}`,
      `${material} ${random.pick(THINGS)}`,
      hostile ??
        (random.chance(0.3) ? null : `Made of ${material.toLowerCase()}. 30 × 20 cm, ±5 %.`),
      random.pick(CATEGORIES),
      amount(priceOf(id)),
      random.chance(0.95),
      textArray(random.chance(0.5) ? [] : ["sale", `50% "off"`]),
      JSON.stringify({
        material,
        size: { width: random.int(5, 90), unit: "cm" },
        colours: ["red", null, hostile ?? "green"],
      }),
      random.chance(0.5) ? null : bytea([137, 80, 78, 71, 13, 10, 26, 10, id % 256]),
    ];
  }
}

/** `12.34`, from cents. */
export function amount(cents: number): string {
  return `${Math.floor(cents / 100)}.${two(cents % 100)}`;
}

export function two(number: number): string {
  return String(number).padStart(2, "0");
}
