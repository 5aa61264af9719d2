/** An attempt whose worker was killed does not stay "running" for ever. */
import { expect, test } from "vitest";
import { recordHistory } from "../../../src/queue/history/record-history.ts";
import { readAttempts } from "../../../src/queue/history/read-attempts.ts";
import { submit } from "../../../src/queue/submit.ts";
import { why } from "../../../src/queue/why.ts";
import { pipeline } from "../../support/pipeline.ts";
import { startChild } from "../../support/processes.ts";
import { redisUrl } from "../../support/services.ts";
import { Held, LEASE, type Orders } from "./held.ts";
import { illegalStep } from "./legal-path.ts";

const WORKER = new URL("children/worker.ts", import.meta.url);

test("an attempt of a killed worker is lost, and its successor is recorded beside it", async () => {
  const line = await pipeline([Held], { leaseDuration: LEASE });
  const history = recordHistory(line.events, line.engine, {
    worker: "survivor:1",
    version: "v2",
    onDropped: (_count, reason) => line.errors.push(new Error(reason)),
  });
  const signal = AbortSignal.timeout(50_000);
  const orders: Orders = { url: await redisUrl(), prefix: line.engine.keys.prefix };
  const child = await startChild(WORKER, orders);
  await submit(line, Held(), { signal });
  const { id } = Held();
  const attempts = () => readAttempts(line.engine, id);
  await expect
    .poll(attempts, { timeout: 10_000 })
    .toMatchObject([{ outcome: "running", worker: `child:${child.pid}`, version: "v1" }]);
  expect((await why(line, Held(), signal)).reasons).toMatchObject([
    { kind: "running", worker: `child:${child.pid}` },
  ]);

  child.signal("SIGKILL");
  await child.ended;
  await expect.poll(attempts, { timeout: 10_000 }).toMatchObject([{ outcome: "lost" }]);

  await line.work({ lockDuration: LEASE, stalledInterval: LEASE / 2 });
  await expect
    .poll(attempts, { timeout: 20_000 })
    .toMatchObject([{ outcome: "lost" }, { outcome: "succeeded", worker: "survivor:1" }]);
  await history.close(1_000);
  expect(illegalStep(await attempts())).toBeUndefined();
  expect(line.errors).toEqual([]);
});
