/** The tables of the shop, as its developers would have made them. */

/** Counts up when rows or tables change: a shop of an older version is made again. */
export const VERSION = 1;

export const TABLES = [
  "customers",
  "products",
  "orders",
  "order_items",
  "payments",
  "events",
] as const;

export const CREATE_SHOP = `
CREATE SCHEMA shop;
COMMENT ON SCHEMA shop IS 'Sample data of Sluice. It is made again when it is seeded for another date.';

CREATE TYPE shop.tier AS ENUM ('new', 'regular', 'VIP "gold"');
CREATE TYPE shop.order_status AS ENUM ('open', 'paid', 'shipped', 'cancelled');

CREATE TABLE shop.customers (
  id integer PRIMARY KEY,
  public_id uuid NOT NULL,
  name text NOT NULL,
  email varchar(120) NOT NULL,
  nickname text,
  tier shop.tier NOT NULL,
  newsletter boolean,
  tags text[] NOT NULL,
  address jsonb NOT NULL,
  notes text,
  avatar bytea,
  created_at timestamptz NOT NULL
);

CREATE TABLE shop.products (
  id integer PRIMARY KEY,
  sku varchar(20) NOT NULL,
  name text NOT NULL,
  description text,
  category text NOT NULL,
  price numeric(12,2) NOT NULL,
  active boolean NOT NULL,
  labels text[] NOT NULL,
  attributes jsonb NOT NULL,
  thumbnail bytea
);

CREATE TABLE shop.orders (
  id bigint PRIMARY KEY,
  customer_id integer NOT NULL,
  status shop.order_status NOT NULL,
  currency char(3) NOT NULL,
  shipping jsonb NOT NULL,
  note text,
  ordered_at timestamptz NOT NULL
);

CREATE TABLE shop.order_items (
  order_id bigint NOT NULL,
  line smallint NOT NULL,
  product_id integer NOT NULL,
  quantity integer NOT NULL,
  price numeric(12,2) NOT NULL,
  discount numeric(12,2),
  gift_text text,
  ordered_at timestamptz NOT NULL,
  PRIMARY KEY (order_id, line)
);

CREATE TABLE shop.payments (
  id uuid PRIMARY KEY,
  order_id bigint NOT NULL,
  method text NOT NULL,
  amount numeric(12,2) NOT NULL,
  reference text,
  paid_at timestamptz NOT NULL
);

CREATE TABLE shop.events (
  id uuid PRIMARY KEY,
  kind text NOT NULL,
  happened_at timestamptz NOT NULL,
  session_id uuid NOT NULL,
  customer_id integer,
  path text NOT NULL,
  referrer text,
  user_agent text,
  took interval,
  screen integer[],
  is_bot boolean NOT NULL,
  properties jsonb NOT NULL
);

CREATE TABLE shop.seeded (date date NOT NULL, version integer NOT NULL, rows integer NOT NULL);
`;

/** After the rows: one join a key, instead of a look-up a row. */
export const CREATE_KEYS = `
CREATE INDEX ON shop.orders (ordered_at);
CREATE INDEX ON shop.order_items (ordered_at);
CREATE INDEX ON shop.payments (paid_at);
CREATE INDEX ON shop.events (happened_at);
ALTER TABLE shop.orders ADD FOREIGN KEY (customer_id) REFERENCES shop.customers;
ALTER TABLE shop.order_items ADD FOREIGN KEY (order_id) REFERENCES shop.orders,
  ADD FOREIGN KEY (product_id) REFERENCES shop.products;
ALTER TABLE shop.payments ADD FOREIGN KEY (order_id) REFERENCES shop.orders;
`;
