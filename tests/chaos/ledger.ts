/**
 * What the tasks of a run did, in their own words: one append-only file a process, outside of everything
 * that is broken on purpose. The checks believe it, and not what the engine says of itself.
 */
import { appendFileSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

interface OfAttempt {
  readonly node: number;
  readonly attempt: string;
}

export type LedgerEntry =
  /** A run began. */
  | (OfAttempt & { readonly kind: "started"; readonly number: number })
  /** Its output was there when it began; `held`: although it was its right to commit. */
  | (OfAttempt & { readonly kind: "late"; readonly held: boolean })
  /** It began, and the output of something that it requires was not there. */
  | (OfAttempt & { readonly kind: "premature"; readonly missing: number })
  /** It read an input that was not whole, or not of one attempt. */
  | (OfAttempt & { readonly kind: "torn"; readonly input: number; readonly why: string })
  /** Its commit was answered; `ours`: it is the one that counts. */
  | (OfAttempt & { readonly kind: "committed"; readonly ours: boolean })
  /** Its run ended, and how: `answered`, `waits` for what it yielded, or the code of an error. */
  | (OfAttempt & { readonly kind: "ended"; readonly how: string })
  /** A root was submitted, and these tasks, which had failed, got fresh attempts. */
  | { readonly kind: "retried"; readonly tasks: readonly string[] };

export type Written = LedgerEntry & { readonly at: number; readonly pid: number };

export type Ledger = (entry: LedgerEntry) => void;

export function openLedger(dir: string): Ledger {
  mkdirSync(dir, { recursive: true });
  const file = join(dir, `${process.pid}.jsonl`);
  return (entry) => {
    const written: Written = { at: Date.now(), pid: process.pid, ...entry };
    appendFileSync(file, `${JSON.stringify(written)}\n`);
  };
}

/** Grows while anything happens. */
export function sizeOfLedger(dir: string): number {
  return readdirSync(dir).reduce((sum, file) => sum + statSync(join(dir, file)).size, 0);
}

/** Every entry of every process, in the order of time. */
export function readLedger(dir: string): Written[] {
  return readdirSync(dir)
    .flatMap((file) => readFileSync(join(dir, file), "utf8").split("\n"))
    .filter((line) => line !== "")
    .map((line): Written => JSON.parse(line))
    .sort((a, b) => a.at - b.at);
}

export function entriesOf<Kind extends Written["kind"]>(
  ledger: readonly Written[],
  kind: Kind,
): Extract<Written, { readonly kind: Kind }>[] {
  return ledger.filter(
    (entry): entry is Extract<Written, { readonly kind: Kind }> => entry.kind === kind,
  );
}

/** The processes that have a run under way, in the order in which these began. */
export function busyProcesses(dir: string): readonly number[] {
  const open = new Map<string, number>();
  for (const entry of readLedger(dir)) {
    if (entry.kind === "started") open.set(entry.attempt, entry.pid);
    if (entry.kind === "ended") open.delete(entry.attempt);
  }
  return [...new Set(open.values())];
}
