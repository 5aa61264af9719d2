/** Port faults at Redis: what the engine and BullMQ say to it, for every kind of path through them. */
import { afterAll, beforeAll } from "vitest";
import { type Services, sweepServices } from "./services.ts";
import { type Case, KEPT, type Sweep, sweep, testInvariants } from "./sweep.ts";

const SWEEPS: readonly Sweep[] = [
  { kind: "sql", ports: ["redis"], slow: /sluice (begin|renew|complete)|moveTo(Active|Finished)/ },
  {
    kind: "dynamic",
    ports: ["redis"],
    only: /^sluice|multi|moveTo(WaitingChildren|Finished)/,
    most: 2,
    slow: /sluice (await|release|state)|multi|moveToWaitingChildren/,
  },
  { kind: "wrapper", ports: ["redis"], only: /^sluice/, most: 3 },
  { kind: "external", ports: ["redis"], only: /sluice (begin|release)|moveToDelayed/, most: 2 },
];

let services: Services;
const cases: Case[] = [];

beforeAll(async () => {
  services = await sweepServices();
  for (const each of SWEEPS) cases.push(...(await sweep(services, each)));
}, 300_000);

afterAll(() => services.close());

testInvariants(KEPT, () => cases);
