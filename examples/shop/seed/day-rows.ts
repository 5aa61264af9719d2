/**
 * What happened in the shop on one day. A day's rows follow from the day alone, so seeding for another
 * date changes no day that both weeks have. Some payments for orders near midnight are the next day's.
 */
import type { Temporal } from "sluice";
import { amount, CUSTOMERS, PRODUCTS, priceOf, two } from "./catalog-rows.ts";
import type { Row } from "./copy-text.ts";
import { Random } from "./random.ts";
import { EVENT_KINDS, HOSTILE_TEXTS, PLACES, USER_AGENTS } from "./words.ts";

const DAY_SECONDS = 86_400;
const LAST_SECOND = DAY_SECONDS - 1;

export interface DayRows {
  readonly orders: Row[];
  readonly order_items: Row[];
  readonly payments: Row[];
}

export function salesOf(day: Temporal.PlainDate): DayRows {
  const number = daysSince1970(day);
  const random = new Random(number);
  const moment = clockOf(day);
  const rows: DayRows = { orders: [], order_items: [], payments: [] };
  const count = random.int(660, 740);
  for (let index = 0; index < count; index++) {
    const id = number * 10_000 + index;
    const second = index === 0 ? 0 : index === 1 ? LAST_SECOND : random.int(0, LAST_SECOND);
    const ordered = moment(second, index === 1 ? 999_999 : 0);
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
        moment(second + random.int(1, 900), random.int(0, 999_999)),
      ]);
    }
  }
  return rows;
}

export function* eventsOf(day: Temporal.PlainDate): Generator<Row> {
  const random = new Random(-daysSince1970(day));
  const moment = clockOf(day);
  const begin = (second: number) => ({
    id: random.uuid(),
    customer: random.chance(0.4) ? random.int(1, CUSTOMERS) : null,
    second,
  });
  let session = begin(0);
  const count = random.int(4_400, 4_700);
  for (let index = 0; index < count; index++) {
    if (index === 1) session = begin(LAST_SECOND);
    else if (index > 1 && random.chance(0.2)) session = begin(random.int(0, LAST_SECOND));
    else if (index > 1) session.second = Math.min(session.second + random.int(1, 90), LAST_SECOND);
    const product = random.int(1, PRODUCTS);
    const kind = random.pick(EVENT_KINDS);
    const hostile = HOSTILE_TEXTS[index];
    yield [
      random.uuid(),
      kind,
      moment(session.second, index === 0 ? 0 : index === 1 ? 999_999 : random.int(0, 999_999)),
      session.id,
      session.customer,
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
  return day.toZonedDateTime("UTC").epochMilliseconds / (DAY_SECONDS * 1000);
}

/** Gives moments of the day in UTC; seconds beyond its end are the next day's. */
function clockOf(day: Temporal.PlainDate): (second: number, microsecond: number) => string {
  const [today, tomorrow] = [day.toString(), day.add({ days: 1 }).toString()];
  return (second, microsecond) => {
    const left = second % DAY_SECONDS;
    const parts = [Math.floor(left / 3600), Math.floor(left / 60) % 60, left % 60];
    const fraction = String(microsecond).padStart(6, "0");
    return `${second < DAY_SECONDS ? today : tomorrow}T${parts.map(two).join(":")}.${fraction}Z`;
  };
}
