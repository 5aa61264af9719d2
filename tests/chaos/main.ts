/** `npm run chaos -- --seeds 100 --from 1 --lanes 2 [--naive]`; exits with 1 when an invariant is violated. */
import { parseArgs } from "node:util";
import { isCaught } from "./checks.ts";
import { runChaos } from "./run-chaos.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "20" },
    from: { type: "string", default: "1" },
    lanes: { type: "string", default: "2" },
    naive: { type: "boolean", default: false },
  },
});
const { results } = await runChaos({
  seeds: Number(values.seeds),
  from: Number(values.from),
  lanes: Number(values.lanes),
  mode: values.naive ? "naive" : "fenced",
  ...(values.naive && { until: isCaught }),
  write: (line) => process.stdout.write(`${line}\n`),
});
process.exit(results.some(({ violations }) => violations.length > 0) ? 1 : 0);
