/**
 * What `src/queue/bullmq-internals.ts` says that Sluice relies on inside BullMQ, one test a claim. An
 * upgrade that breaks one of these breaks the engine: read that file before changing a test here.
 */
import { readFileSync } from "node:fs";
import { createRedisBackend, FlowProducer, Job, Queue, Worker } from "bullmq";
import { afterEach, beforeEach, expect, test } from "vitest";
import { withBullmqIncludes } from "../../../src/queue/bullmq-internals.ts";
import { JobCompletions } from "../../../src/queue/complete-job.ts";
import { connectRedis } from "../../../src/queue/connection.ts";
import { Scripts } from "../../../src/queue/scripts.ts";
import { keyPrefix, redisUrl } from "../../support/services.ts";

let connection: ReturnType<typeof connectRedis>;
let prefix: string;
let closers: { close(): Promise<unknown> }[] = [];

beforeEach(async () => {
  connection = connectRedis(await redisUrl());
  prefix = keyPrefix();
});

afterEach(async () => {
  for (const each of closers.reverse()) await each.close();
  closers = [];
  connection.disconnect();
});

function closing<
  T extends { close(): Promise<unknown>; on(name: "error", f: () => void): unknown },
>(each: T): T {
  each.on("error", () => {});
  closers.push(each);
  return each;
}

const openQueue = (name = "q") => closing(new Queue(name, { connection, prefix }));
const openFlow = () => closing(new FlowProducer({ connection, prefix }));
const key = (id: string, part = "") => `${prefix}:q:${id}${part}`;

async function addBlocked(queue: Queue, id: string, options = {}): Promise<void> {
  const job = new Job(queue, "name", {}, { jobId: id, ...options }, id);
  const { jobData, parentKeyOpts } = job.toFlowEntry({ addToWaitingChildren: true });
  const backend = openFlow().getBackend();
  const client = await backend.client;
  await backend.addJobToTransaction(client, jobData, id, parentKeyOpts, queue.keys);
}

test("1. a parent's open children are the members of its key :dependencies, done ones fields of :processed", async () => {
  const queue = openQueue();
  const opts = (jobId: string) => ({ opts: { jobId } });
  const child = (id: string) => ({ name: "c", queueName: "q", ...opts(id) });
  await openFlow().add({
    name: "p",
    queueName: "q",
    ...opts("p"),
    children: [child("a"), child("b")],
  });
  expect((await connection.smembers(key("p", ":dependencies"))).sort()).toEqual([
    key("a"),
    key("b"),
  ]);
  const worker = closing(new Worker("q", undefined, { connection, prefix }));
  const job = await worker.getNextJob("token");
  expect(await connection.get(key(job.id ?? "", ":lock"))).toBe("token");
  await job.moveToCompleted("answer", "token", false);
  expect(await connection.hgetall(key("p", ":processed"))).toEqual({
    [key(job.id ?? "")]: '"answer"',
  });
  expect(await connection.scard(key("p", ":dependencies"))).toBe(1);
  expect(await queue.getWaitingChildrenCount()).toBe(1);
});

test("2. job ids are members of the sorted set of their state, and the name is a field of the job", async () => {
  const queue = openQueue();
  await addBlocked(queue, "blocked");
  await queue.add("a name", {}, { jobId: "later", delay: 60_000 });
  await queue.add("a name", { n: 1 }, { jobId: "bad", priority: 1 });
  await queue.add("a name", {}, { jobId: "good", priority: 2 });
  const worker = closing(new Worker("q", undefined, { connection, prefix }));
  await (await worker.getNextJob("t"))?.moveToFailed(new Error("no"), "t", false);
  await (await worker.getNextJob("t"))?.moveToCompleted(null, "t", false);
  const members = (state: string) => connection.zrange(`${prefix}:q:${state}`, "0", "-1");
  expect(
    await Promise.all(["waiting-children", "delayed", "failed", "completed"].map(members)),
  ).toEqual([["blocked"], ["later"], ["bad"], ["good"]]);
  expect(await connection.hmget(key("bad"), "name", "data", "failedReason")).toEqual([
    "a name",
    '{"n":1}',
    "no",
  ]);
});

test("3. the includes exist, and release a job to where its priority and delay say", async () => {
  const queue = openQueue();
  const script = (name: string) =>
    withBullmqIncludes(
      readFileSync(new URL(`../../../src/queue/lua/${name}.lua`, import.meta.url), "utf8"),
    );
  for (const name of ["link", "complete"]) expect(script(name)).not.toContain("@include");
  for (const [id, options] of [
    ["plain", {}],
    ["prior", { priority: 3 }],
    ["later", { delay: 60_000 }],
  ] as const) {
    await addBlocked(queue, id, options);
    await connection.eval(
      script("link"),
      1,
      key(id),
      `${prefix}:own:`,
      `${prefix}:q`,
      id,
      String(Date.now()),
      "1",
    );
  }
  const states = await Promise.all(["plain", "prior", "later"].map((id) => queue.getJobState(id)));
  expect(states).toEqual(["waiting", "prioritized", "delayed"]);
  expect(() => withBullmqIncludes('--- @include "noSuchInclude"')).toThrow("noSuchInclude");
});

test("4. a flow's backend inserts blocked what says addToWaitingChildren, and leaves an id alone that exists", async () => {
  const queue = openQueue();
  await addBlocked(queue, "x", { priority: 1 });
  expect(await queue.getJobState("x")).toBe("waiting-children");
  await connection.hset(key("x"), "data", '{"first":true}');
  await addBlocked(queue, "x", { priority: 2 });
  expect(await connection.hget(key("x"), "data")).toBe('{"first":true}');
  await (await queue.getJob("x"))?.remove();
  await queue.add("name", {}, { jobId: "x" });
  await addBlocked(queue, "x");
  expect(await queue.getJobState("x")).toBe("waiting");
  expect((await queue.getJob("x"))?.parentKey).toBeUndefined();
});

test("6. a backoff of a type of our own asks the worker's strategy", async () => {
  const queue = openQueue();
  const asked: unknown[] = [];
  closing(
    new Worker("q", async () => Promise.reject(new Error("no")), {
      connection,
      prefix,
      settings: {
        backoffStrategy: (attempts, type, _error, job) => {
          asked.push([attempts, type, job?.id]);
          return 1;
        },
      },
    }),
  );
  await queue.add("name", {}, { jobId: "x", attempts: 3, backoff: { type: "sluice" } });
  await expect.poll(() => queue.getJobState("x")).toBe("failed");
  expect(asked).toEqual([
    [1, "sluice", "x"],
    [2, "sluice", "x"],
  ]);
});

test("7. a job that completes must not have open dependencies", async () => {
  const queue = openQueue();
  await queue.add("name", {}, { jobId: "x" });
  const worker = closing(new Worker("q", undefined, { connection, prefix }));
  const job = await worker.getNextJob("t");
  await connection.sadd(key("x", ":dependencies"), key("y"));
  await expect(job?.moveToCompleted(null, "t", false)).rejects.toThrow("pending dependencies");
  expect(await job?.moveToWaitingChildren("t")).toBe(true);
  expect(await queue.getJobState("x")).toBe("waiting-children");
});

test("8. a job that is moved into failed by hand is a failed job, and can be retried", async () => {
  const queue = openQueue();
  await addBlocked(queue, "blocked");
  await queue.add("name", {}, { jobId: "later", delay: 60_000 });
  await queue.add("name", {}, { jobId: "ranked", priority: 2 });
  await queue.add("name", {}, { jobId: "next" });
  const take = withBullmqIncludes(`local rcall = redis.call
    --- @include "removeJobFromAnyState"
    local before = removeJobFromAnyState(KEYS[1] .. ':', ARGV[1])
    rcall('HSET', KEYS[1] .. ':' .. ARGV[1], 'failedReason', 'enough', 'finishedOn', 7)
    rcall('ZADD', KEYS[1] .. ':failed', 7, ARGV[1])
    return before`);
  const ids = ["blocked", "later", "ranked", "next"];
  const before = [];
  for (const id of ids) before.push(await connection.eval(take, 1, `${prefix}:q`, id));
  expect(before).toEqual(["waiting-children", "delayed", "prioritized", "wait"]);
  for (const id of ids) {
    const job = await queue.getJob(id);
    expect([await job?.getState(), job?.failedReason, job?.finishedOn]).toEqual([
      "failed",
      "enough",
      7,
    ]);
    await job?.retry("failed");
    expect(await job?.getState()).toMatch(/^(waiting|prioritized)$/);
  }
});

const COMPLETING = {
  autorun: false,
  lockDuration: 60_000,
  metrics: { maxDataPoints: 100 },
  removeOnComplete: { age: 60, count: 1 },
} as const;

/** Has the second of three jobs completed: the first is removed by that, and the third taken. */
async function afterSecond(
  name: string,
  complete: (job: Job, token: string) => Promise<unknown>,
  backend: JobCompletions["backend"] = createRedisBackend,
) {
  const queue = openQueue(name);
  for (const [index, jobId] of ["first", "second", "third"].entries()) {
    await queue.add("name", { index }, { jobId, priority: index + 1 });
  }
  const options = { ...COMPLETING, connection, prefix };
  const worker = closing(new Worker(name, undefined, options, backend));
  await (await worker.getNextJob("one"))?.moveToCompleted(undefined, "one", false);
  const second = await worker.getNextJob("two");
  const next = await complete(second, "two");
  return timeless({ next, keys: await keysOf(name) });
}

async function keysOf(queue: string): Promise<Record<string, unknown>> {
  const start = `${prefix}:${queue}:`;
  const found: Record<string, unknown> = {};
  for (const each of (await connection.keys(`${start}*`)).sort()) {
    found[each.slice(start.length)] = await valueOf(each);
  }
  return found;
}

async function valueOf(each: string): Promise<unknown> {
  switch (await connection.type(each)) {
    case "hash":
      return connection.hgetall(each);
    case "zset":
      return connection.zrange(each, "0", "-1", "WITHSCORES");
    case "list":
      return connection.lrange(each, 0, -1);
    case "stream":
      return (await connection.xrange(each, "-", "+")).map(([, fields]) => fields);
    default:
      return connection.get(each);
  }
}

/** All times since 2023 are one. */
function timeless(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replace(/\b1[789]\d{11}\b/g, "0"));
}

test("11. our script completes a job and takes the next one as BullMQ itself does", async () => {
  const theirs = await afterSecond("q", (job, token) =>
    job.moveToCompleted(undefined, token, true),
  );
  await connection.unlink(await connection.keys(`${prefix}:*`));
  const completions = new JobCompletions({ ...COMPLETING, connection }, () => true);
  const scripts = new Scripts(connection);
  const own = `${prefix}:own:`;
  const ours = await afterSecond(
    "q",
    async (job, token) => {
      const id = job.id ?? "";
      await connection.hset(`${own}attempt:${id}`, "holder", "attempt");
      const args = [own, id, "attempt", "name", "null", Date.now(), 0, ""];
      const ended = completions.arguments(token);
      const again = () => scripts.call("complete", key(id), ...args, ...ended);
      const [, answer] = await again();
      // As when the answer got lost: nothing more is taken.
      expect(await again()).toEqual([0, 0]);
      completions.answered(job, answer, Date.now());
      return job.moveToCompleted(undefined, token, true);
    },
    completions.backend,
  );
  expect(ours).toEqual(theirs);
});
