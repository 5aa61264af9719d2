/** What is broken on purpose. Each fault mends what it broke before it ends. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Mode } from "./dataset.ts";
import { type Network, type ServiceName, SERVICES } from "./network.ts";
import type { Operator } from "./operator.ts";
import { type Random, seededRandom } from "./random.ts";
import type { PrivateRedis } from "./services.ts";
import { EXPANDERS, type Stage, WORKERS } from "./stage.ts";

export const LEASE = 1_000;

/** What faults can reach. */
export interface Scene {
  readonly stage: Stage;
  readonly network: Network;
  readonly redis: PrivateRedis;
  readonly operator: Operator;
  /** The slots of workers that have a run under way. */
  readonly busy: () => readonly number[];
  /** Ends every session of the seed's database. */
  readonly terminateSessions: () => Promise<unknown>;
  /** Runs one after the other: a Redis that is down cannot be frozen. */
  readonly onRedis: (fault: () => Promise<void>) => Promise<void>;
}

type Fault = (scene: Scene, random: Random) => Promise<string | void>;

/** A worker that has something to lose, if there is one. */
const worker = ({ busy }: Scene, random: Random) => {
  const slots = busy();
  return slots.length > 0 ? random.pick(slots) : random.int(0, WORKERS - 1);
};
const anySlot = (random: Random) => random.int(0, WORKERS + EXPANDERS - 1);

export const FAULTS = {
  async killWorker(scene, random) {
    scene.stage.actor(worker(scene, random))?.signal("SIGKILL");
  },
  async freezeWorker(scene, random) {
    const actor = scene.stage.actor(worker(scene, random));
    const milliseconds = LEASE * 3 + random.int(0, 500);
    actor?.signal("SIGSTOP");
    await sleep(milliseconds);
    actor?.signal("SIGCONT");
    return String(actor?.pid ?? "nobody");
  },
  async stopWorker(scene, random) {
    const actor = scene.stage.actor(worker(scene, random));
    actor?.signal("SIGTERM");
    return String(actor?.pid ?? "nobody");
  },
  async killExpander({ stage }, random) {
    stage.actor(WORKERS + random.int(0, EXPANDERS - 1))?.signal("SIGKILL");
  },
  async freezeRedis({ redis, onRedis }, random) {
    const milliseconds = random.int(1_200, 3_500);
    await onRedis(async () => {
      redis.signal("SIGSTOP");
      await sleep(milliseconds);
      redis.signal("SIGCONT");
    });
  },
  async killRedis({ redis, network, onRedis }, random) {
    const down = random.int(0, 800);
    await onRedis(async () => {
      await redis.crash(down);
      network.moveRedis(redis.port);
    });
  },
  async truncateRedis({ redis, network, onRedis }, random) {
    const keep = 0.4 + random.next() * 0.6;
    await onRedis(async () => {
      await redis.crash(0, keep);
      network.moveRedis(redis.port);
    });
  },
  async flushRedis({ redis, onRedis }) {
    await onRedis(async () => void (await redis.client.flushall()));
  },
  async fillRedis({ redis, onRedis }, random) {
    const milliseconds = random.int(1_000, 2_500);
    await onRedis(async () => {
      await redis.client.config("SET", "maxmemory", "1mb");
      await sleep(milliseconds);
      await redis.client.config("SET", "maxmemory", "0");
    });
  },
  async invalidate({ operator }, random) {
    return operator.invalidate(random);
  },
  async terminateBackends({ terminateSessions }) {
    await terminateSessions();
  },
  /** Half of all requests are answered with 503. */
  async throttleS3({ network }, random) {
    const milliseconds = random.int(500, 2_000);
    const rules = {
      onClient(bytes: Buffer, link: { answer(text: string): void }) {
        if (!isRequest(bytes) || Math.random() < 0.5) return true;
        link.answer("HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        return false;
      },
    };
    for (const { s3 } of network.slots) s3.rules = rules;
    await sleep(milliseconds);
    for (const { s3 } of network.slots) s3.rules = {};
  },
  /** S3 does what it is asked to, and half of its answers are lost. */
  async loseAnswersOfS3({ network }, random) {
    const milliseconds = random.int(500, 1_500);
    const rules = {
      onServer(_bytes: Buffer, link: { cut(): void }) {
        if (Math.random() < 0.5) return true;
        link.cut();
        return false;
      },
    };
    for (const { s3 } of network.slots) s3.rules = rules;
    await sleep(milliseconds);
    for (const { s3 } of network.slots) s3.rules = {};
  },
  async cut({ network }, random) {
    const service = random.pick(SERVICES);
    network.wires(anySlot(random))[service].cutAll();
    return service;
  },
  async blackHole({ network }, random) {
    const service: ServiceName = random.pick(SERVICES);
    const wire = network.wires(anySlot(random))[service];
    const milliseconds = random.int(1_500, 3_500);
    const cut = random.chance(0.5);
    wire.blackHole();
    await sleep(milliseconds);
    if (cut) wire.cutAll();
    wire.thaw();
    return `${service}${cut ? ", then cut" : ""}`;
  },
} satisfies Readonly<Record<string, Fault>>;

export type FaultName = keyof typeof FAULTS;

/** After these, Redis may have forgotten what was complete. */
export const LOSES_RECORDS: ReadonlySet<FaultName> = new Set(["truncateRedis", "flushRedis"]);

function isRequest(bytes: Buffer): boolean {
  return /^(GET|PUT|POST|HEAD|DELETE) \//.test(bytes.toString("latin1", 0, 16));
}

export interface AppliedFault {
  readonly name: FaultName;
  readonly detail: string;
  /** Milliseconds since 1970. */
  readonly began: number;
  readonly ended: number;
}

const MOST = 6;
/** How long a fault waits for a run that it can meet. */
const PATIENCE = 2_000;

/** Applies the faults of a seed, some of them at once, as long as there is work to disturb. */
export async function breakThings(
  scene: Scene,
  { seed, mode }: { readonly seed: number; readonly mode: Mode },
  isFinished: () => boolean,
): Promise<readonly AppliedFault[]> {
  const random = seededRandom(seed ^ 0x5eed);
  const all = Object.keys(FAULTS).filter((name): name is FaultName => name in FAULTS);
  // Naive tasks meet what hands a running job out twice; the rest would only take time.
  const names = mode === "naive" ? (["freezeWorker", "freezeRedis"] as const) : all;
  const applied: AppliedFault[] = [];
  const running: Promise<void>[] = [];
  for (let count = random.int(3, MOST); count > 0; count--) {
    const pause = random.int(200, 1_100);
    const name = random.pick(names);
    // Of its own: faults that overlap draw in an order that no seed decides.
    const own = seededRandom(random.int(0, 2 ** 31));
    await sleep(pause);
    // One naive fault at a time: freezes of Redis that follow each other freeze nothing but idle workers.
    if (mode === "naive") await running.at(-1);
    for (let wait = 0; wait < PATIENCE && !isFinished() && scene.busy().length === 0; wait += 20) {
      await sleep(20);
    }
    if (isFinished()) break;
    const began = Date.now();
    const fault: Fault = FAULTS[name];
    running.push(
      fault(scene, own).then((detail) => {
        applied.push({ name, detail: detail ?? "", began, ended: Date.now() });
      }),
    );
  }
  await Promise.all(running);
  return applied.sort((a, b) => a.began - b.began);
}
