/**
 * Settings: read once from the environment at an entry point, checked, frozen and passed down.
 * Nothing below an entry point reads the environment. Secrets print as `***`.
 */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { milliseconds } from "./core/duration.ts";
import { UsageError } from "./core/errors.ts";
import { Secret } from "./core/secret.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

const port = z.coerce.number().int().min(0).max(65_535);
const duration = z.string().transform((text, context) => {
  try {
    return milliseconds(text, "");
  } catch {
    context.addIssue({ code: "custom", message: 'expected a duration like "30s" or "2h"' });
    return z.NEVER;
  }
});
const secret = z.string().transform((text) => new Secret(text));

/** What stands in the place of the project's version when nobody gives it. */
function ownVersion(): string {
  const file = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return `sluice ${z.object({ version: z.string() }).parse(JSON.parse(file)).version}`;
}

/** Every variable that Sluice reads, with its default. `docs/settings.md` is the list for people. */
const variables = z.object({
  REDIS_URL: secret.optional(),
  SOURCE_URL: secret.optional(),
  WAREHOUSE_URL: secret.optional(),
  AWS_ENDPOINT_URL_S3: z.url().optional(),
  AWS_REGION: z.string().default("us-east-1"),
  AWS_ACCESS_KEY_ID: z.string().optional(),
  AWS_SECRET_ACCESS_KEY: secret.optional(),
  SLUICE_BUCKET: z.string().optional(),
  SLUICE_BUCKET_PREFIX: z.string().optional(),
  SLUICE_CONFIG: z.string().default("sluice.config.ts"),
  SLUICE_PREFIX: z.string().default("{sluice}"),
  SLUICE_ENVIRONMENT: z.string().default("development"),
  SLUICE_CONCURRENCY: z.coerce.number().int().min(1).default(4),
  SLUICE_LOCK_DURATION: duration.prefault("60s"),
  SLUICE_GRACE_PERIOD: duration.prefault("25s"),
  SLUICE_HEALTH_HOST: z.string().default("127.0.0.1"),
  SLUICE_HEALTH_PORT: port.optional(),
  SLUICE_DASHBOARD_HOST: z.string().default("127.0.0.1"),
  SLUICE_DASHBOARD_PORT: port.default(3400),
  SLUICE_DASHBOARD_USER: z.string().optional(),
  SLUICE_DASHBOARD_PASSWORD: secret.optional(),
  SLUICE_HISTORY_DAYS: z.coerce.number().int().min(1).default(90),
  SLUICE_VERSION: z.string().default(ownVersion),
  SLUICE_WEBHOOK_URL: secret.optional(),
});

export type Settings = Readonly<z.output<typeof variables>>;

/** Throws a `UsageError` that names every variable that is wrong, and never its value. */
export function readSettings(environment: Environment): Settings {
  // An empty variable counts as not set: that is what `docker-compose` passes for `${NAME:-}`.
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ""),
  );
  const read = variables.safeParse(given);
  if (!read.success) {
    const wrong = read.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
    throw new UsageError("SETTINGS_INVALID", `Wrong settings: ${wrong.join("; ")}`);
  }
  return Object.freeze(read.data);
}

/** The setting, or an error that says how to give it. */
export function required<Name extends keyof Settings>(
  settings: Settings,
  name: Name,
): NonNullable<Settings[Name]> {
  const value = settings[name];
  if (value === undefined || value === null) {
    throw new UsageError(
      "SETTING_MISSING",
      `${name} is not set. Set it, or use the development stack: "npm run dev", or --dev`,
    );
  }
  return value;
}
