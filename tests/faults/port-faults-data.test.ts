/** Port faults at Postgres and S3: what dumps, loads and transactions say to them. */
import { afterAll, beforeAll } from "vitest";
import { type Services, sweepServices } from "./services.ts";
import { type Case, KEPT, type Sweep, sweep, testInvariants } from "./sweep.ts";

const SWEEPS: readonly Sweep[] = [
  { kind: "dump", ports: ["postgres", "s3"], slow: /^(LOCK|COPY|COMMIT|HEAD|PUT|GET)/ },
  { kind: "load", ports: ["postgres", "s3"], slow: /^(COPY|end of COPY|INSERT|COMMIT|GET)/ },
  { kind: "sql", ports: ["postgres"], only: /INSERT|COMMIT/ },
  { kind: "external", ports: ["s3"], most: 1 },
  { kind: "large dump", ports: ["s3"], only: /upload/, slow: /^PUT/ },
];

let services: Services;
const cases: Case[] = [];

beforeAll(async () => {
  services = await sweepServices();
  for (const each of SWEEPS) cases.push(...(await sweep(services, each)));
}, 300_000);

afterAll(() => services.close());

testInvariants(KEPT, () => cases);
