/** Words that the shop's rows are made of, and the texts that break pipelines. */

export const FIRST_NAMES = [
  "Anna",
  "Björn",
  "Chloé",
  "Dmitri",
  "Ewa",
  "Fatima",
  "Giulia",
  "Håkon",
  "Inês",
  "José",
  "Kateřina",
  "Łukasz",
  "Mei",
  "Ngọc",
  "Ólafur",
  "Priya",
  "Renée",
  "Siobhán",
  "Thabo",
  "Zoë",
  "太郎",
  "秀英",
  "지민",
  "محمد",
  "נועה",
  "Αλέξανδρος",
  "Ольга",
  "สมชาย",
] as const;

export const LAST_NAMES = [
  "Andersson",
  "d'Angelo",
  "García",
  "Hoffmann",
  "İnce",
  "Jansen",
  "Kowalska",
  "Müller",
  "Nguyễn",
  "O'Brien",
  "Petrović",
  "Silva",
  "Straße",
  "van der Berg",
  "佐藤",
  "王",
  "김",
  "حسن",
  "לוי",
  "Παππάς",
  "Иванова",
  "Smith-Jones",
] as const;

export const PLACES = [
  ["DE", "Köln", "50667"],
  ["FR", "Saint-Étienne", "42000"],
  ["PL", "Łódź", "90-001"],
  ["JP", "東京", "100-0001"],
  ["GR", "Αθήνα", "105 57"],
  ["EG", "القاهرة", "11511"],
  ["IL", "תל אביב", "6100000"],
  ["BR", "São Paulo", "01000-000"],
  ["US", "Coeur d'Alene", "83814"],
  ["GB", "Llanfairpwllgwyngyll", "LL61 5UJ"],
] as const;

export const CATEGORIES = ["kitchen", "garden", "books", "toys", "audio"] as const;

export const MATERIALS = ["Oak", "Steel", "Linen", "Glass", "Cork", "Brass"] as const;

export const THINGS = [
  "teapot",
  "lamp",
  "rain boots",
  "atlas",
  "kite",
  "headphones",
  "crème brûlée set",
  'ruler 12"',
  "chess set",
  "watering can",
] as const;

export const EVENT_KINDS = ["view", "view", "view", "search", "add_to_cart", "checkout"] as const;

export const USER_AGENTS = [
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile Safari/604.1",
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Firefox/145.0",
] as const;

/** Each has broken somebody's pipeline: NULL texts, quoting, line ends, scripts, sizes. */
export const HOSTILE_TEXTS = [
  "",
  " ",
  "  blanks at both ends  ",
  "\\N",
  "\\.",
  "NULL",
  "@NULL@",
  "not @NULL@, but close",
  'she said "yes", twice',
  "it's; a, b | c",
  "two\nlines",
  "Windows\r\nline",
  "a\ttab",
  "ends with a backslash \\",
  "C:\\new\\table",
  "'; DROP TABLE orders; --",
  '{"json": "in text"}',
  "=1+1",
  "日本語、中文、한국어",
  "עברית ו-العربية",
  "reversed \u202Etxet",
  "combined e\u0301 and composed \u00E9",
  "\u{1F469}\u200D\u{1F469}\u200D\u{1F467} \u{1F1EA}\u{1F1FA} \u{1D11E}",
  "\uFEFFstarts with a byte order mark",
  "unseen \u0001\u007F\u00A0\u200B",
  "very long ".repeat(2_000),
] as const;
