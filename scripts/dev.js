/** `npm run dev`: the same services, kept up, with the dashboard. */

import { runSource } from "./run-source.js";

await runSource("../src/cli/dev.ts");
