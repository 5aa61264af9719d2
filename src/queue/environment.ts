/**
 * Which environment a prefix of Redis belongs to: the first process that enqueues or works there writes
 * its name, and one of another environment is refused, also one that only looks. A staging worker must
 * not take production's jobs. A Redis that was emptied belongs to whoever starts next; processes that
 * run go on.
 */
import type { Redis } from "ioredis";
import { UsageError } from "../core/errors.ts";
import type { Keys } from "./keys.ts";

/** With `claim`, a prefix that belongs to nobody belongs to this environment from now on. */
export async function checkEnvironment(
  redis: Redis,
  keys: Keys,
  environment: string,
  { address, claim }: { readonly address: string; readonly claim: boolean },
): Promise<void> {
  const owner = claim
    ? await redis.set(keys.environment, environment, "NX", "GET")
    : await redis.get(keys.environment);
  if (owner === null || owner === environment) return;
  throw new UsageError(
    "ENVIRONMENT_MISMATCH",
    `Redis at ${address} with the prefix ${keys.prefix} belongs to the environment ${JSON.stringify(owner)}, and this process is of ${JSON.stringify(environment)} (SLUICE_ENVIRONMENT): it would take the jobs of the other. Correct SLUICE_ENVIRONMENT, or give each environment its own SLUICE_PREFIX or Redis. If the environment was renamed: DEL ${keys.environment}`,
    { fields: { owner, environment } },
  );
}
