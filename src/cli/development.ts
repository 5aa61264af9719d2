/**
 * The development stack for commands: services that are not set are started in a folder, or, when
 * another command (`npm run dev`) holds that folder, shared with it.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { UsageError } from "../core/errors.ts";
import type { Part } from "../embedded/part.ts";
import { startStack } from "../embedded/stack.ts";
import { type Environment, readSettings, type Settings } from "../settings.ts";

export interface Development {
  /** Settings with every service set. */
  readonly settings: Settings;
  /** For child processes. Holds secrets. */
  readonly environment: Environment;
  readonly parts: readonly Part[];
  stop(): Promise<void>;
}

/** Holds everything of the development stack; delete it to start over. */
export const DEVELOPMENT_FOLDER = ".sluice";

export interface DevelopmentOption {
  readonly dev?: boolean;
}

/** Runs a command with the environment's services, or on the development stack. */
export async function withServices<T>(
  environment: Environment,
  { dev }: DevelopmentOption,
  use: (settings: Settings, environment: Environment) => Promise<T>,
): Promise<T> {
  if (dev !== true) return use(readSettings(environment), environment);
  const development = await openDevelopment(environment);
  try {
    return await use(development.settings, development.environment);
  } finally {
    await development.stop();
  }
}

/**
 * After kill -9 of a command, the next one takes over what was at work. Short, because nothing fails
 * over here, and a person waits.
 */
const LOCK_DURATION = "5s";

const shared = z.record(z.string(), z.string());

export async function openDevelopment(
  environment: Environment,
  report: (part: Part) => void = () => {},
): Promise<Development> {
  const dir = path.resolve(DEVELOPMENT_FOLDER);
  const file = path.join(dir, "environment.json");
  const merged = (own: Environment) => ({
    SLUICE_LOCK_DURATION: LOCK_DURATION,
    ...environment,
    ...own,
  });
  try {
    const settings = readSettings(environment);
    const stack = await startStack({ dir, env: environment, report, settings: given(settings) });
    // With services of one's own there is no folder, and nothing to share.
    if (stack.parts.some(({ started }) => started)) {
      writeFileSync(file, JSON.stringify(stack.environment), { mode: 0o600 });
    }
    return {
      settings: readSettings(merged(stack.environment)),
      environment: merged(stack.environment),
      parts: stack.parts,
      async stop() {
        rmSync(file, { force: true });
        await stack.stop();
      },
    };
  } catch (error) {
    if (!(error instanceof UsageError) || error.code !== "FOLDER_IN_USE") throw error;
    const own = readShared(file);
    if (own === undefined) throw error;
    return {
      settings: readSettings(merged(own)),
      environment: merged(own),
      parts: [],
      stop: async () => {},
    };
  }
}

/** What the stack that runs in the folder wrote; undefined while it is still starting. */
function readShared(file: string): Environment | undefined {
  try {
    return shared.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return undefined;
  }
}

function given(settings: Settings) {
  const { SLUICE_BUCKET: bucket } = settings;
  return {
    redisUrl: settings.REDIS_URL?.reveal(),
    sourceUrl: settings.SOURCE_URL?.reveal(),
    warehouseUrl: settings.WAREHOUSE_URL?.reveal(),
    s3:
      bucket === undefined
        ? undefined
        : {
            bucket,
            endpoint: settings.AWS_ENDPOINT_URL_S3,
            region: settings.AWS_REGION,
            accessKeyId: settings.AWS_ACCESS_KEY_ID,
            secretAccessKey: settings.AWS_SECRET_ACCESS_KEY?.reveal(),
          },
  };
}
