/** A dashboard on real queues, with what a test needs to drive it. */
import { randomBytes } from "node:crypto";
import { Queue, Worker } from "bullmq";
import type { DashboardOptions } from "../../../dashboard/app.ts";
import { startDashboard } from "../../../dashboard/start-dashboard.ts";
import { Secret } from "../../../src/core/secret.ts";
import { afterEveryFile } from "../../support/closing.ts";
import { keyPrefix, redisUrl } from "../../support/services.ts";

export const login = { user: "operator", password: new Secret("correct horse") };
export const authorization = `Basic ${Buffer.from("operator:correct horse").toString("base64")}`;

export interface Board {
  readonly address: string;
  readonly queue: Queue;
  /** Errors that pages answered with "internal error". */
  readonly errors: unknown[];
  /** Lets a worker take one job, which fails. */
  failOne(): Promise<void>;
  /** Lets a worker take one job, which succeeds. */
  completeOne(): Promise<void>;
}

const open: { close(): Promise<unknown> }[] = [];
afterEveryFile("clients", async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

export async function startBoard(options: Partial<DashboardOptions> = {}): Promise<Board> {
  const settings = { connection: { url: await redisUrl() }, prefix: keyPrefix() };
  const queue = new Queue(`load-${randomBytes(3).toString("hex")}`, settings);
  open.push(queue);
  const worker = new Worker(queue.name, null, settings);
  open.push(worker);
  const errors: unknown[] = [];
  const dashboard = await startDashboard({
    host: "127.0.0.1",
    port: 0,
    queues: [queue],
    onError: (error) => errors.push(error),
    ...options,
  });
  open.push(dashboard);

  const take = async () => {
    const job = await worker.getNextJob("token");
    if (job === undefined) throw new Error("no job waits");
    return job;
  };
  return {
    address: dashboard.address,
    queue,
    errors,
    failOne: async () => void (await (await take()).moveToFailed(new Error("bad row"), "token")),
    completeOne: async () => void (await (await take()).moveToCompleted("done", "token")),
  };
}
