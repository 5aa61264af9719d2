/**
 * Everything a pipeline needs, for development: each service that the settings name is used as it is,
 * each other one is started privately in a folder. Nothing outlives this process. The warehouse is a
 * stand-in for Redshift, and is called so. Not for production.
 */

import { resolve } from "node:path";
import type { Environment } from "./cache-folder.ts";
import { folderCredentials } from "./credentials.ts";
import {
  embeddedDatabases,
  embeddedRedis,
  embeddedRedshift,
  embeddedS3,
  type StackFolder,
} from "./embedded-services.ts";
import { lockFolder } from "./folder-lock.ts";
import { type GivenS3, givenDatabase, givenRedis, givenS3 } from "./given-services.ts";
import type { Part, Piece } from "./part.ts";

/** Services of the user's own; each one that is absent is started here. */
export interface StackSettings {
  readonly redisUrl?: string | undefined;
  readonly sourceUrl?: string | undefined;
  readonly warehouseUrl?: string | undefined;
  readonly s3?: GivenS3 | undefined;
}

export interface StackOptions {
  /** Holds the data of all embedded services. One stack at a time may use it. */
  readonly dir: string;
  readonly settings: StackSettings;
  /** The process's environment: PATH, and where downloads are kept. */
  readonly env: Environment;
  /** Called as each part is up. */
  readonly report?: (part: Part) => void;
  /** Where to look for Redis; default: the PATH and Homebrew's folders. */
  readonly redisFolders?: readonly string[];
}

type Starter = (folder: StackFolder) => Promise<Piece>;

export interface Stack {
  /** Variables for the processes that use the stack. They hold secrets. */
  readonly environment: Readonly<Record<string, string>>;
  readonly parts: readonly Part[];
  /** Ends what was started and waits until it is gone. */
  readonly stop: () => Promise<void>;
}

/** Starts what is missing, all at once. If a part fails, the others are ended and it throws. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const begin = performance.now();
  const { env, redisFolders } = options;
  const dir = resolve(options.dir);
  const given = givenPieces(options.settings);
  const starters = missingStarters(options.settings);
  const lock = starters.length === 0 ? undefined : lockFolder(dir);
  const pieces: Piece[] = [];
  const parts: Part[] = [];
  const add = (piece: Piece) => {
    pieces.push(piece);
    for (const each of piece.parts) {
      const part = { ...each, seconds: (performance.now() - begin) / 1000 };
      parts.push(part);
      options.report?.(part);
    }
  };
  const stop = async () => {
    await Promise.all(pieces.map(async (piece) => piece.stop?.()));
    lock?.release();
  };

  given.forEach(add);
  const results = await Promise.allSettled(
    starters.map(async (start) =>
      add(await start({ dir, env, redisFolders, credentials: folderCredentials(dir) })),
    ),
  );
  const failure = results.find((result) => result.status === "rejected");
  if (failure !== undefined) {
    await stop();
    throw failure.reason;
  }
  if (options.settings.warehouseUrl === undefined) {
    // It reads and writes the S3 of the stack, and takes the place of the database behind it.
    try {
      add(await embeddedRedshift(environmentOf(pieces)));
    } catch (error) {
      await stop();
      throw error;
    }
  }
  return { environment: environmentOf(pieces), parts, stop };
}

function givenPieces({ redisUrl, sourceUrl, warehouseUrl, s3 }: StackSettings): readonly Piece[] {
  return [
    ...(redisUrl === undefined ? [] : [givenRedis(redisUrl)]),
    ...(sourceUrl === undefined ? [] : [givenDatabase("Source", sourceUrl)]),
    ...(warehouseUrl === undefined ? [] : [givenDatabase("Warehouse", warehouseUrl)]),
    ...(s3 === undefined ? [] : [givenS3(s3)]),
  ];
}

function missingStarters(settings: StackSettings): readonly Starter[] {
  const databases = [
    ...(settings.sourceUrl === undefined ? (["Source"] as const) : []),
    ...(settings.warehouseUrl === undefined ? (["Warehouse"] as const) : []),
  ];
  return [
    ...(settings.redisUrl === undefined ? [embeddedRedis] : []),
    ...(databases.length === 0
      ? []
      : [(folder: StackFolder) => embeddedDatabases(folder, databases)]),
    ...(settings.s3 === undefined ? [embeddedS3] : []),
  ];
}

function environmentOf(pieces: readonly Piece[]): Record<string, string> {
  const variables = pieces.flatMap((piece) => Object.entries(piece.variables));
  return Object.fromEntries(
    variables.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
