/**
 * What happened in the shop on one day. A day's rows follow from the day alone, so seeding for another
 * date changes no day that both weeks have. Some payments for orders near midnight are the next day's.
 */
import type { Temporal } from "temporal-polyfill";
import { amount, CUSTOMERS, PRODUCTS, priceOf, two } from "./catalog-rows.ts";
import type { Row } from "./copy-text.ts";
import { Random } from "./random.ts";
import { EVENT_KINDS, HOSTILE_TEXTS, PLACES, USER_AGENTS } from "./words.ts";

export interface DayRows {
  readonly orders: Row[];
  readonly order_items: Row[];
  readonly payments: Row[];
}

export function salesOf(day: Temporal.PlainDate): DayRows {
  const number = daysSince1970(day);
  const random = new Random(number);
  const rows: DayRows = { orders: [], order_items: [], payments: [] };
  const count = random.int(660, 740);
  for (let index = 0; index < count; index++) {
    const id = number * 10_000 + index;
    const second = index === 0 ? 0 : index === 1 ? 86_399 : random.int(0, 86_399);
    const ordered = momentOf(day, second, index === 1 ? 999_999 : 0);
    const status = random.pick(["open", "paid", "shipped", "shipped", "shipped", "cancelled"]);
    const hostile = HOSTILE_TEXTS[index];
    const [country, city] = random.pick(PLACES);
    rows.orders.push([
      id,
      random.int(1, CUSTOMERS),
      status,
      country === "US" ? "USD" : "EUR",
      JSON.stringify({
        country,
        city,
        parcel: { express: random.chance(0.2), stops: [city, null] },
      }),
      hostile ?? (random.chance(0.8) ? null : ""),
      ordered,
    ]);

    let total = 0;
    const lines = random.pick([1, 1, 2, 2, 3, 5]);
    for (let line = 1; line <= lines; line++) {
      const product = random.int(1, PRODUCTS);
      const quantity = random.pick([1, 1, 1, 2, 4]);
      const price = priceOf(product);
      const discount = random.chance(0.9) ? null : Math.floor(price / 10);
      total += quantity * price - (discount ?? 0);
      rows.order_items.push([
        id,
        line,
        product,
        quantity,
        amount(price),
        discount === null ? null : amount(discount),
        line === 1 && hostile !== undefined ? hostile : null,
        ordered,
      ]);
    }

    if (status === "open" || status === "cancelled") continue;
    const parts = total > 50_000 && random.chance(0.5) ? [Math.floor(total / 3)] : [];
    for (const cents of [...parts, total - (parts[0] ?? 0)]) {
      rows.payments.push([
        random.uuid(),
        id,
        random.pick(["card", "invoice", "voucher"]),
        amount(cents),
        random.pick([null, "", `R-${id}`]),
        momentOf(day, second + random.int(1, 900), random.int(0, 999_999)),
      ]);
    }
  }
  return rows;
}

export function* eventsOf(day: Temporal.PlainDate): Generator<Row> {
  const random = new Random(-daysSince1970(day));
  const count = random.int(4_400, 4_700);
  for (let index = 0; index < count; index++) {
    const product = random.int(1, PRODUCTS);
    const kind = random.pick(EVENT_KINDS);
    const hostile = HOSTILE_TEXTS[index];
    const second = index === 0 ? 0 : index === 1 ? 86_399 : random.int(0, 86_399);
    yield [
      random.uuid(),
      kind,
      momentOf(day, second, index === 1 ? 999_999 : random.int(0, 999_999)),
      random.uuid(),
      random.chance(0.4) ? random.int(1, CUSTOMERS) : null,
      kind === "search"
        ? `/search?q=${encodeURIComponent(hostile?.slice(0, 100) ?? "tea pot")}`
        : `/products/${product}`,
      random.pick([null, "", "https://www.example.com/?a=1&b=%22"]),
      random.pick(USER_AGENTS),
      random.chance(0.1) ? null : `${random.int(1, 90_000)} milliseconds`,
      random.chance(0.2) ? null : `{${random.int(320, 3840)},${random.int(480, 2160)}}`,
      random.chance(0.03),
      JSON.stringify({
        product,
        labels: hostile === undefined ? [] : [hostile],
        experiment: { name: "buttons", arm: random.pick(["a", "b", null]) },
      }),
    ];
  }
}

function daysSince1970(day: Temporal.PlainDate): number {
  return Math.round(day.toZonedDateTime("UTC").epochMilliseconds / 86_400_000);
}

/** A moment of the day in UTC; seconds beyond its end are the next day's. */
function momentOf(day: Temporal.PlainDate, second: number, microsecond: number): string {
  const date = second < 86_400 ? day : day.add({ days: 1 });
  const left = second % 86_400;
  const clock = [Math.floor(left / 3600), Math.floor(left / 60) % 60, left % 60].map(two).join(":");
  return `${date}T${clock}.${String(microsecond).padStart(6, "0")}Z`;
}
