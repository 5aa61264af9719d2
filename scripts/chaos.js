/** `npm run chaos -- --seeds 100 --from 1`: random graphs under random faults; see docs/reliability.md. */

import { runSource } from "./run-source.js";

await runSource("../tests/chaos/main.ts");
