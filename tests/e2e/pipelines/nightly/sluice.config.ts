/**
 * A night in seconds: the schedule is due every 3 s, and looks again every second. The pieces wait
 * until the warehouse has a table `ops.gate`; one task fails the first time that it runs.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { defineConfig, defineTask, defineWrapper, p, scheduled, tableMarker } from "sluice";

const params = { date: p.date() };

const Piece = defineTask(
  {
    name: "Piece",
    params: { ...params, n: p.int() },
    output: ({ n }) => tableMarker(`ops.piece_${n}`),
    queue: "pieces",
  },
  async ({ output, warehouse, signal }) => {
    const open = "SELECT to_regclass('ops.gate') IS NOT NULL AS open";
    while (!(await warehouse.query<{ open: boolean }>(open))[0]?.open) {
      await sleep(50, undefined, { signal });
    }
    await warehouse.atomically(output);
    return { rows: 10 };
  },
);

const Flaky = defineTask(
  {
    name: "Flaky",
    params,
    output: () => tableMarker("ops.flaky"),
    queue: "sql",
    retry: { attempts: 1 },
  },
  async ({ output, warehouse }) => {
    const [first] = await warehouse.query<{ n: number }>(
      "INSERT INTO ops.tries DEFAULT VALUES RETURNING n",
    );
    if (first?.n === 1) throw new Error("the bank's file is not there yet");
    await warehouse.atomically(output);
    return { rows: 1 };
  },
);

const AfterFlaky = defineTask(
  {
    name: "AfterFlaky",
    params,
    requires: (each) => Flaky(each),
    output: () => tableMarker("ops.after_flaky"),
    queue: "sql",
  },
  async ({ output, warehouse }) => {
    await warehouse.atomically(output);
  },
);

const Nightly = defineWrapper({
  name: "Nightly",
  params,
  requires: ({ date }) => [
    AfterFlaky({ date }),
    ...Array.from({ length: 12 }, (_, n) => Piece({ date, n })),
  ],
});

export default defineConfig({
  tasks: [Piece, Flaky, AfterFlaky, Nightly],
  schedules: [
    scheduled(Nightly, { pattern: "*/3 * * * * *", again: "1s", timezone: "Europe/Berlin" }),
  ],
});
