/**
 * A process of a chaos run: the real worker process, or one that submits roots again and again as the
 * scheduler's tick does. It loads first and is told its part later, because loading takes a second of
 * a processor; one that survives a seed plays in the next.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../../src/core/errors.ts";
import { tick } from "../../../src/queue/scheduler.ts";
import { readSettings } from "../../../src/settings.ts";
import { openWorkplace } from "../../../src/workplace.ts";
import { runWorker } from "../../../workers/worker.ts";
import type { FromActor, Part, ToActor } from "../actor.ts";
import { type ChaosFamilies, chaosFamilies } from "../families.ts";
import { graphOf } from "../graph.ts";
import { type Ledger, openLedger } from "../ledger.ts";
import { runNaiveWorker } from "../naive-worker.ts";
import { seededRandom } from "../random.ts";

let stopping = new AbortController();

process.on("message", (message: ToActor) => {
  if (message.do === "stop") {
    stopping.abort();
    return;
  }
  stopping = new AbortController();
  void play(message.part, stopping.signal).then(
    () => {
      // Told to stop by the signal that orchestrators send.
      if (!stopping.signal.aborted) process.exit(0);
      tell({ is: "stopped" });
    },
    (error: unknown) => tell({ is: "failed", why: messageOf(error) }),
  );
});
// The harness died.
process.once("disconnect", () => process.exit(1));
if (!process.connected) process.exit(1);
tell({ is: "loaded" });

function tell(message: FromActor): void {
  process.send?.(message);
}

async function play(part: Part, signal: AbortSignal): Promise<void> {
  const ledger = openLedger(part.ledger);
  const families = chaosFamilies(part.mode, ledger);
  const settings = readSettings(part.environment);
  if (part.role === "worker") {
    if (part.mode === "naive") await runNaiveWorker(families.project, settings, signal);
    else await runWorker(families.project, settings, { signal });
    return;
  }
  const place = await openWorkplace(families.project, settings);
  try {
    await submitForEver(part, families, place, ledger, signal);
  } finally {
    await Promise.race([place.close(), sleep(1_000)]);
  }
}

/** A submit that fails is an error of its moment; a tick comes again. */
async function submitForEver(
  part: Part,
  { rootOf }: ChaosFamilies,
  place: Awaited<ReturnType<typeof openWorkplace>>,
  ledger: Ledger,
  signal: AbortSignal,
): Promise<void> {
  const graph = graphOf(part.seed);
  const random = seededRandom(process.pid);
  const retryFailed = { after: 300, times: 1_000 };
  while (!signal.aborted) {
    const half = random.int(0, 1);
    try {
      const { retried } = await tick(place, rootOf(graph, half), { signal, retryFailed });
      if (retried.length > 0) ledger({ kind: "retried", tasks: retried.map(({ id }) => id) });
    } catch (error) {
      process.stdout.write(`${JSON.stringify({ submit: messageOf(error) })}\n`);
    }
    await sleep(150 + random.int(0, 300), undefined, { signal }).catch(() => {});
  }
}
