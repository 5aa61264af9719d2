import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lockFolder } from "../../../src/embedded/folder-lock.ts";
import { livePid, ownerRecord } from "../../../src/embedded/process-identity.ts";
import { tempDir } from "../../support/services.ts";

test("a lock is refused while it is held, and free after its release", () => {
  const dir = tempDir();
  const lock = lockFolder(dir);
  expect(() => lockFolder(dir)).toThrow(`in use by another command (pid ${process.pid})`);
  lock.release();
  lockFolder(dir).release();
  expect(existsSync(join(dir, "stack.lock"))).toBe(false);
});

test("a lock whose process is gone, or whose pid is now somebody else's, is replaced", () => {
  const dir = tempDir();
  for (const stale of ["99999999 1", `${process.pid} 1`, "", "no pid"]) {
    writeFileSync(join(dir, "stack.lock"), stale);
    const lock = lockFolder(dir);
    expect(readFileSync(join(dir, "stack.lock"), "utf8")).toBe(ownerRecord(process.pid));
    lock.release();
  }
});

test("a process is recognised by its start time, not by its pid alone", () => {
  const record = ownerRecord(process.pid);
  expect(livePid(record)).toBe(process.pid);
  expect(livePid(record.replace(/ .*/, " 1"))).toBeUndefined();
});
