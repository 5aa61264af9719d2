/** The commands: nothing is invalidated that was not shown, and nothing without a yes. */
import { expect, test } from "vitest";
import { commandOf } from "../../../src/cli/command-line.ts";
import type { Confirm } from "../../../src/cli/confirm.ts";
import { invalidateTask } from "../../../src/cli/invalidation.ts";
import { runRoot } from "../../../src/cli/run-root.ts";
import type { Session } from "../../../src/cli/session.ts";
import { createTerminal } from "../../../src/cli/terminal.ts";
import { privateRedis } from "../../support/private-redis.ts";
import { Dump, Load, Night } from "./night.ts";
import { date, stage } from "./stage.ts";

const options = { config: "sluice.config.ts" };

function person(confirm?: Confirm) {
  const written: string[] = [];
  const output = { write: (text: string) => written.push(text) };
  const session: Session = {
    environment: {},
    terminal: createTerminal(output, output, false),
    signal: AbortSignal.timeout(30_000),
    confirm,
  };
  return { session, text: () => written.join("") };
}

test("a preview, then a question: without a terminal, with a no, or dry, nothing changes", async () => {
  const line = await stage();
  await line.work();
  await line.run(Night({ date }));
  const asked: string[] = [];
  const says = (yes: boolean) =>
    person(async (question) => {
      asked.push(question);
      return yes;
    });
  const downstream = { ...options, downstream: true };

  await expect(
    invalidateTask(person().session, line, Dump({ date }), downstream),
  ).rejects.toMatchObject({ code: "CONFIRMATION_MISSING" });
  const no = says(false);
  expect(await invalidateTask(no.session, line, Dump({ date }), downstream)).toMatchObject({
    done: false,
  });
  const dry = says(true);
  await invalidateTask(dry.session, line, Dump({ date }), { ...downstream, dryRun: true });
  expect(asked).toEqual(["Invalidate these 5 tasks and remove their outputs?"]);
  expect(await line.manifests()).toHaveLength(1);

  const { bucket } = line.stores.s3;
  const marker = (table: "first" | "second") => `marker ${Load({ table, date }).id} of ${table}`;
  expect(no.text()).toBe(`\
5 tasks to invalidate, downstream within Night(date=2026-11-21), with the outputs to remove:

  Dump(date=2026-11-21)                s3://${bucket}/dumps/2026-11-21/
  Load(table=first, date=2026-11-21)   ${marker("first")}
  Load(table=second, date=2026-11-21)  ${marker("second")}
  Check(date=2026-11-21)               no output, its record only
  Night(date=2026-11-21)               no output, its record only

Nothing was changed.
`);

  const yes = says(true);
  const { root, done } = await invalidateTask(yes.session, line, Dump({ date }), downstream);
  expect([root.id, done]).toEqual([Night({ date }).id, true]);
  expect(await line.manifests()).toEqual([]);
});

test("--of names the root; parameters that it shares with the task are the task's", async () => {
  const line = await stage();
  await line.work();
  await line.run(Dump({ date }));
  const { session } = person();
  const dry = { ...options, dryRun: true };
  await expect(
    invalidateTask(session, line, Dump({ date }), { ...dry, downstream: true }),
  ).rejects.toMatchObject({ code: "ROOT_UNKNOWN" });
  const { root } = await invalidateTask(session, line, Dump({ date }), { ...dry, of: "Night" });
  expect(root.id).toBe(Night({ date }).id);
  await expect(
    invalidateTask(session, line, Dump({ date }), { ...dry, of: "Night --date 2026-01-01" }),
  ).rejects.toMatchObject({ code: "NOT_IN_GRAPH" });
});

test("sluice run goes on when Redis is wiped under it", async () => {
  const line = await stage((await privateRedis()).url);
  await line.work({ lockDuration: 1_000, stalledInterval: 500 });
  let wiped = false;
  line.events.on("task:started", async ({ task }) => {
    if (task.family !== "Load" || wiped) return;
    wiped = true;
    await line.engine.redis.flushall();
  });
  const { session } = person();
  const { status } = await runRoot(session, line, Night({ date }), {
    json: true,
    command: commandOf,
  });
  expect([wiped, status]).toEqual([true, "done"]);
  expect(line.ran().filter((name) => name === "Dump()")).toHaveLength(1);
  expect(await line.values()).toHaveLength(6);
});
